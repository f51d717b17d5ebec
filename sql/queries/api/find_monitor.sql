-- A balance monitor that was not discarded, with the state of its account.
select id, ledger_account_id, field, operator, value, triggered, description, metadata, discarded_at, created_at,
       updated_at, normal_balance, currency, currency_exponent, lock_version, posted_debits, posted_credits,
       pending_debits, pending_credits
from ledger_account_balance_monitors_shown
where id = $1 and discarded_at is null
