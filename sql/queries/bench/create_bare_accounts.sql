-- The accounts of the bare ledgers, with balances of zero.
with created as (
    insert into bare_accounts (id, currency) select id, $2 from unnest($1::bigint[]) as new (id) returning id
)
insert into bare_balances (account_id) select id from created
