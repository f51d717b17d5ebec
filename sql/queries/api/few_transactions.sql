-- The transactions of the entries on an account, in a category or in a ledger; none when the accounts, or what was
-- written to them, are that many or more. An account's version counts its entries, so that none has to be read for that.
with account as materialized (
    select $1::uuid as id where $1::uuid is not null
    union all
    select ledger_category_accounts($2) where $1::uuid is null and $2::uuid is not null
    union all
    select a.id from ledger_accounts a where $1::uuid is null and $2::uuid is null and a.ledger_id = $3
    limit $4
), size as (
    select count(*) as accounts, coalesce(sum(b.lock_version), 0) as writes
    from account
    join ledger_account_balances b on b.account_id = account.id
)
select array(
    select e.transaction_id
    from account
    cross join lateral (
        -- In an order that only an index gives at once, whatever the planner believes of an account's size.
        select e.transaction_id from ledger_entries e where e.account_id = account.id order by e.lock_version limit $4
    ) as e
)
from size
where accounts < $4 and writes < $4
