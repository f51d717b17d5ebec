-- Discards an account that has no entries, and whose sums are therefore zero.
update ledger_accounts set discarded_at = now(), updated_at = now()
where id = $1
returning id, ledger_id, external_id, name, description, normal_balance, currency, currency_exponent, metadata,
          ledgerable_type, ledgerable_id, discarded_at, created_at, updated_at, 0::bigint as lock_version,
          0::numeric as posted_debits, 0::numeric as posted_credits, 0::numeric as pending_debits,
          0::numeric as pending_credits
