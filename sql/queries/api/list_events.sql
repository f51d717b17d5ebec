-- Events, newest first, one more than a page shows; every filter may be left out.
select id, resource, event_name, entity_id, snapshot, created_at
from ledger_events
where ($1::timestamptz is null or created_at >= $1)
  and ($2::timestamptz is null or created_at <= $2)
  and ($3::text is null or resource = $3)
  and ($4::uuid is null or entity_id = $4)
  and ($5::text is null or event_name = $5)
  and ($6::uuid is null or sequence < (select c.sequence from ledger_events c where c.id = $6))
order by sequence desc
limit $7
