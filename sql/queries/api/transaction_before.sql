-- The ledger of a transaction, which never changes, its status at this moment, and the last loan event that wrote it.
select t.ledger_id, t.status, told.*
from ledger_transactions t
left join lateral (
    select m.webhook_id, m.type, o.subject_kind, o.subject_id
    from event_outcomes o
    join inbox_messages m on m.id = o.message_id
    where o.ledger_transaction_id = t.id
    order by o.message_id desc
    limit 1
) as told on true
where t.id = $1
