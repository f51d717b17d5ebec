-- Creates the accounts that do not exist yet, each with a balance of zero, and adopts for loans those that somebody else
-- created in the same unit, with the rulebook's metadata; in one order for everybody.
with created as (
    insert into ledger_accounts as a
        (ledger_id, external_id, name, normal_balance, currency, currency_exponent, metadata, for_loans)
    select $1, external_id, name, normal_balance, currency, currency_exponent, metadata::jsonb, true
    from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[])
        as account (external_id, name, normal_balance, currency, currency_exponent, metadata)
    order by external_id
    on conflict (ledger_id, external_id) do update
    set for_loans = true,
        metadata = (a.metadata - array['loanID', 'investorID']) || excluded.metadata,
        updated_at = now()
    where not a.for_loans
      and (a.normal_balance, a.currency, a.currency_exponent)
          = (excluded.normal_balance, excluded.currency, excluded.currency_exponent)
    returning id
)
insert into ledger_account_balances (account_id) select id from created on conflict do nothing
