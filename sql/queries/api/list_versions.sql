-- Versions of ledger transactions, newest first, one more than a page shows; every filter may be left out.
select v.id, v.ledger_id, v.version, v.status, v.external_id, v.description, v.effective_at, v.effective_date,
       v.posted_at, v.archived_reason, v.metadata, v.ledgerable_type, v.ledgerable_id, v.first_entry, v.last_entry,
       v.created_at, v.updated_at, v.reverses_ledger_transaction_id, v.partially_posts_ledger_transaction_id,
       v.reversed_by_ledger_transaction_id
from ledger_transaction_versions_shown v
where ($1::uuid is null or v.id = $1)
  and ($2::uuid[] is null
       or v.id = any($2::uuid[])
          and (v.id, v.version) in (select * from unnest($2::uuid[], $3::int[]) as wanted(transaction_id, version)))
  and ($4::timestamptz is null or v.created_at >= $4)
  and ($5::timestamptz is null or v.created_at < $5)
  and ($6::numeric is null or v.version >= $6)
  and ($7::numeric is null or v.version < $7)
  and ($11::uuid is null
       or v.id = any(array(select transaction_id from ledger_statement_versions($11)))
          and (v.id, v.version) in (select * from ledger_statement_versions($11)))
  and ($8::uuid is null
       or (v.created_at, v.id, v.version)
          < (select c.created_at, c.id, c.version
             from ledger_transaction_versions_shown c where c.id = $8 and c.version = $9))
order by v.created_at desc, v.id desc, v.version desc
limit $10
