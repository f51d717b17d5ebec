-- The ledger of an account; it never changes.
select ledger_id from ledger_accounts where id = $1
