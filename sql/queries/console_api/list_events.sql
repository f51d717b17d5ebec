-- Inbox messages with what became of them, newest first.
select m.id, m.source, m.webhook_id, m.type, m.loan_id, m.received_at,
       case when m.source = 'loans' then coalesce(o.state, 'queued') end as state,
       o.reason, o.field, o.needs, o.ledger_transaction_id, o.decided_at
from inbox_messages m
left join event_outcomes o on o.message_id = m.id
where ($1::text is null or m.loan_id = $1)
  and ($2::text is null or m.type = $2)
  and ($3::text is null or coalesce(o.state, 'queued') = $3)
  and ($4::bigint is null or m.id < $4)
  and m.source = 'loans'
order by m.id desc
limit $5
