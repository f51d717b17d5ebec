-- The accounts a settlement is to connect, those of them that were not discarded.
select id, ledger_id, normal_balance, currency, currency_exponent
from ledger_accounts
where id = any($1::uuid[]) and discarded_at is null
