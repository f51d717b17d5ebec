-- Holds the balance of an account that was not discarded, so that nothing is posted to it while a monitor begins.
select true
from ledger_account_balances b
where b.account_id = $1 and exists (select from ledger_accounts a where a.id = $1 and a.discarded_at is null)
for no key update of b
