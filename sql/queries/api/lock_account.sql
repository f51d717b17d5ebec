-- Holds an account's balance, so that nothing is posted to it meanwhile; how often it was written to.
select b.lock_version
from ledger_account_balances b
where b.account_id = $1 and exists (select from ledger_accounts a where a.id = $1 and a.discarded_at is null)
for update of b
