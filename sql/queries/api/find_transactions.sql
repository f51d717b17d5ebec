-- The transactions of an id or, in any ledger and not archived, of an external id; an id goes before external ids.
select t.id, t.ledger_id, t.status, t.external_id, t.description, t.effective_at, t.effective_date, t.posted_at,
       t.archived_reason, t.metadata, t.ledgerable_type, t.ledgerable_id, t.reverses_ledger_transaction_id,
       t.partially_posts_ledger_transaction_id, t.reversed_by_ledger_transaction_id, t.created_at, t.updated_at
from (
    select id, 0 as place from ledger_transactions where id = $1
    union
    select t.id, 1
    from ledgers l
    join ledger_transactions t on t.ledger_id = l.id and t.external_id = $2 and t.status <> 'archived'
) as named
join ledger_transactions_shown t on t.id = named.id
order by named.place
limit 2
