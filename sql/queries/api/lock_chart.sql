-- Has nobody else add or remove anything in categories of the ledgers that these are of, before one of them is nested,
-- taken out of another or discarded.
select pg_advisory_xact_lock(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
from (select distinct ledger_id from ledger_account_categories where id = any($1::uuid[]) order by ledger_id) as touched
