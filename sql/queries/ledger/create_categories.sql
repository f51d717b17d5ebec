-- Creates the categories that do not exist yet, in one order for everybody so that two creators never deadlock.
insert into ledger_account_categories
    (ledger_id, external_id, name, normal_balance, currency, currency_exponent, metadata)
select $1, external_id, name, normal_balance, currency, currency_exponent, metadata::jsonb
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[])
    as category (external_id, name, normal_balance, currency, currency_exponent, metadata)
order by external_id
on conflict (ledger_id, external_id) do nothing
