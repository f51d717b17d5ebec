-- Somebody says that something changed at the borrower's: ask Codat again before the next step.
update connections set checked_at = null where connection_id = $1
