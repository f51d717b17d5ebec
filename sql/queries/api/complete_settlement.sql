-- Ends the drafting of a settlement: what it takes over, to which side, and by which transaction, if by any.
update ledger_account_settlements
set status = $2, amount = $3, direction = $4, transaction_id = $5, updated_at = now()
where id = $1
