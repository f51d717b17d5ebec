-- Up to which of its versions an account was settled; what was posted later is still to be looked at.
select coalesce((select lock_version from ledger_settlement_marks where account_id = $1), 0)
