-- What the entries come to that a draft was given: debits less credits.
select drafted from ledger_account_settlements where id = $1
