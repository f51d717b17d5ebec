-- Every account of a ledger as a journal opens it.
select id, external_id, name, normal_balance, currency, currency_exponent, metadata
from ledger_accounts
where ledger_id = $1
order by id
