-- Locks the transactions a batch will change or reverse, before any balance (ledger_lock_transactions).
select id from ledger_lock_transactions($1, $2::text[], $3::uuid[])
