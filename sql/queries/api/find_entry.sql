-- An entry, live or discarded.
select transaction_id, n, account_id, direction, amount, effective_at, metadata, created_at, updated_at, discarded_at,
       status, lock_version, posted_debits, posted_credits, pending_debits, pending_credits, normal_balance, currency,
       currency_exponent
from ledger_entries_shown
where transaction_id = $1 and n = $2
