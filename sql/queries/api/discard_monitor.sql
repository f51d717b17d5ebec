-- Discards a monitor: it never looks at its account again.
update ledger_account_balance_monitors
set discarded_at = now(), updated_at = now()
where id = $1 and discarded_at is null
returning discarded_at
