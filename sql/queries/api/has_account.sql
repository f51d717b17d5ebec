-- Whether an account exists and was not discarded.
select exists (select from ledger_accounts where id = $1 and discarded_at is null)
