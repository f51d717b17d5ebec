-- Holds a settlement as it is until the transaction ends.
select true from ledger_account_settlements where id = $1 for update
