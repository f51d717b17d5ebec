-- The transactions of the entries on an account, in a category or in a ledger; null when these are that many or more.
select case when count(*) < $4 then coalesce(array_agg(few.transaction_id), '{}') end
from (
    select e.transaction_id
    from (
        select $1::uuid as id where $1::uuid is not null
        union all
        select ledger_category_accounts($2) where $1::uuid is null and $2::uuid is not null
        union all
        select a.id from ledger_accounts a where $1::uuid is null and $2::uuid is null and a.ledger_id = $3
    ) as account
    cross join lateral (select e.transaction_id from ledger_entries e where e.account_id = account.id limit $4) as e
    limit $4
) as few
