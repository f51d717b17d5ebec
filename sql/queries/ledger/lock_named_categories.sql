-- Locks the sums of the categories that a batch's conditions name, together with those of all categories that its accounts
-- are in, which the posting statement locks: all at once, in one order for everybody. The accounts are locked already:
-- which of them a category contains will not change.
with locked as materialized (
    select c.*, b.*
    from (
        select id, normal_balance, id = any($3::uuid[]) and discarded_at is null as is_named
        from ledger_account_categories
        where ledger_id = $1
          and id = any($3::uuid[]
                       || array(select category_id from ledger_category_contents where account_id = any($2::uuid[])))
        order by id
    ) as c
    cross join lateral (
        select posted_debits, posted_credits, pending_debits, pending_credits
        from ledger_category_balances
        where category_id = c.id
        for no key update
    ) as b
)
select id, normal_balance, posted_debits, posted_credits, pending_debits, pending_credits,
       array(
           select held.account_id
           from unnest($2::uuid[]) as held (account_id)
           cross join lateral (
               select from ledger_category_contents
               where account_id = held.account_id and category_id = locked.id
               offset 0  -- account by account through the index: a category may contain a million others
           ) as inside
       ) as contained
from locked
where is_named
