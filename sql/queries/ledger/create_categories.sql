-- Creates the categories that do not exist yet, and adopts for loans those that somebody else created in the same unit,
-- with the rulebook's metadata; in one order for everybody so that two creators never deadlock.
insert into ledger_account_categories as c
    (ledger_id, external_id, name, normal_balance, currency, currency_exponent, metadata, for_loans)
select $1, external_id, name, normal_balance, currency, currency_exponent, metadata::jsonb, true
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[])
    as category (external_id, name, normal_balance, currency, currency_exponent, metadata)
order by external_id
on conflict (ledger_id, external_id) do update
set for_loans = true, metadata = c.metadata || excluded.metadata, updated_at = now()
where not c.for_loans
  and (c.normal_balance, c.currency, c.currency_exponent)
      = (excluded.normal_balance, excluded.currency, excluded.currency_exponent)
