-- Locks the sums of every category the accounts are in, in one order for everybody; their balances are locked already.
select category_id
from ledger_category_balances
where category_id = any(array(select category_id from ledger_category_contents where account_id = any($1::uuid[])))
order by category_id
for no key update
