-- Creates a category; no row when its external id is taken.
insert into ledger_account_categories
    (ledger_id, external_id, name, description, normal_balance, currency, currency_exponent, metadata)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)
on conflict (ledger_id, external_id) do nothing
returning id
