-- Creates a ledger account with a balance of zero; no row when its external id is taken.
with created as (
    insert into ledger_accounts
        (ledger_id, external_id, name, description, normal_balance, currency, currency_exponent, metadata,
         ledgerable_type, ledgerable_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10)
    on conflict (ledger_id, external_id) do nothing
    returning *
), balance as (
    insert into ledger_account_balances (account_id) select id from created
)
select id, ledger_id, external_id, name, description, normal_balance, currency, currency_exponent, metadata,
       ledgerable_type, ledgerable_id, discarded_at, created_at, updated_at, 0::bigint as lock_version,
       0::numeric as posted_debits, 0::numeric as posted_credits, 0::numeric as pending_debits,
       0::numeric as pending_credits
from created
