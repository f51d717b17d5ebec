-- Has the nestings of the ledgers of these categories stay as they are, before a member of one of them is added or removed:
-- whoever waited for this with a category's row held would block the one who nests or discards it.
select pg_advisory_xact_lock_shared(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
from (select distinct ledger_id from ledger_account_categories where id = any($1::uuid[]) order by ledger_id) as touched
