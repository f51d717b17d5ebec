-- Locks the balances of all accounts in a category, directly or nested, by id: taking it apart locks them in two steps, with
-- sums of categories in between.
select array(
    select account_id
    from ledger_account_balances
    where account_id in (select account_id from ledger_category_contents where category_id = $1)
    order by account_id
    for no key update
)
