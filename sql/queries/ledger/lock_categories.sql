-- Locks the sums of every category the accounts are in; their balances are locked already (ledger_lock_categories).
select ledger_lock_categories($1::uuid[])
