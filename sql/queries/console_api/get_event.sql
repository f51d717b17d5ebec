-- One inbox message as it was received, with what became of it.
select m.id, m.source, m.webhook_id, m.type, m.loan_id, m.received_at,
       case when m.source = 'loans' then coalesce(o.state, 'queued') end as state,
       o.reason, o.field, o.needs, o.ledger_transaction_id, o.decided_at,
       m.body
from inbox_messages m
left join event_outcomes o on o.message_id = m.id
where m.id = $1
