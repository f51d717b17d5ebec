-- What the ledger knows under some external ids, the live transaction of each and the last archived one, and some ids.
-- Runs after the balances are locked, so that it sees what any batch before us on the same accounts wrote.
select t.id, t.ledger_id, t.status, t.external_id, t.description, t.metadata, t.effective_at, t.posted_at,
       t.archived_reason, t.ledgerable_type, t.ledgerable_id, t.reverses_ledger_transaction_id,
       t.partially_posts_ledger_transaction_id, t.version, t.created_at, t.updated_at, t.content_digest,
       (select r.id from ledger_transactions r
        where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived') as reversed_by
from (
    select id from ledger_transactions
    where ledger_id = $1 and external_id = any($2::text[]) and status <> 'archived'
    union
    (select distinct on (external_id) id from ledger_transactions
     where ledger_id = $1 and external_id = any($2::text[]) and status = 'archived'
     order by external_id, id desc)
    union
    select id from ledger_transactions where ledger_id = $1 and id = any($3::uuid[])
) as named
join ledger_transactions t on t.id = named.id
