-- Accounts and categories of these external ids that stayed somebody else's, because they are of another unit.
select 'account' as noun, external_id, normal_balance, currency, currency_exponent
from ledger_accounts
where ledger_id = $1 and external_id = any($2::text[]) and not for_loans
union all
select 'category', external_id, normal_balance, currency, currency_exponent
from ledger_account_categories
where ledger_id = $1 and external_id = any($3::text[]) and not for_loans
order by noun, external_id
