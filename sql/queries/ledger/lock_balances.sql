-- Locks the balances a batch will touch, in one order for everybody so that two batches never deadlock.
-- The inner query locks one row at a time as the sorted accounts come by: never a scan, whatever the planner believes.
-- The moment is the clock's once the row is locked: whoever had it before wrote earlier.
select a.*, b.*, clock_timestamp() as now
from (
    select id, ledger_id, external_id, normal_balance, currency, currency_exponent, discarded_at is not null as discarded
    from ledger_accounts
    where ledger_id = $1 and external_id = any($2::text[])
    union
    select id, ledger_id, external_id, normal_balance, currency, currency_exponent, discarded_at is not null as discarded
    from ledger_accounts
    where id = any($3::uuid[])
    order by id
) as a
cross join lateral (
    select posted_debits, posted_credits, pending_debits, pending_credits, lock_version
    from ledger_account_balances
    where account_id = a.id
    for no key update
) as b
