-- The balances a batch will touch, without waiting for whoever is writing them, and whether any of its external ids is
-- taken already.
select a.id, a.ledger_id, a.external_id, a.normal_balance, a.currency, a.currency_exponent,
       a.discarded_at is not null as discarded,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits, b.lock_version, now() as now,
       exists (select from ledger_transactions
               where ledger_id = $1 and external_id = any($4::text[]) and status <> 'archived') as taken
from (
    select id from ledger_accounts where ledger_id = $1 and external_id = any($2::text[])
    union
    select unnest($3::uuid[])
) as named
join ledger_accounts a on a.id = named.id
join ledger_account_balances b on b.account_id = a.id
