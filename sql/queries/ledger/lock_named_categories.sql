-- Locks the sums of the named categories and of all that the accounts are in; those named that are in use, with the
-- accounts that each contains (ledger_lock_named_categories).
select * from ledger_lock_named_categories($1, $2::uuid[], $3::uuid[])
