-- One saga per inbox message, however often the message is applied; ids grow in the order given.
insert into sagas (
    kind, message_id, event_id, loan_id, company_id, connection_id, currency, effective_date, movement,
    ledger_transaction_id
)
select 'loan', n.message_id, n.event_id, n.loan_id, n.company_id, n.connection_id, n.currency, n.effective_date,
       n.movement, n.ledger_transaction_id
from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::date[], $8::jsonb[], $9::uuid[])
    with ordinality as n (
        message_id, event_id, loan_id, company_id, connection_id, currency, effective_date, movement,
        ledger_transaction_id, place
    )
order by n.place
on conflict (message_id) do nothing
returning id, loan_id
