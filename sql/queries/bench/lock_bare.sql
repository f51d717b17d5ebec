-- The bare balances of a batch, locked in one order, with their currencies.
select b.account_id, b.debits, b.credits, b.lock_version, a.currency
from bare_balances b join bare_accounts a on a.id = b.account_id
where b.account_id = any($1)
order by b.account_id
for no key update of b
