-- Up to which of its versions an account was settled, and which version it has.
select m.lock_version as settled, b.lock_version as written
from ledger_settlement_marks m
join ledger_account_balances b on b.account_id = m.account_id
where m.account_id = $1
