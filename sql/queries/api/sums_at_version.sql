-- The sums of an account once it had reached a version.
select posted_debits, posted_credits, pending_debits, pending_credits
from ledger_entries where account_id = $1 and lock_version = $2
union all
select posted_debits, posted_credits, pending_debits, pending_credits
from ledger_entry_transitions where account_id = $1 and lock_version = $2
union all
select 0, 0, 0, 0 where $2 = 0
