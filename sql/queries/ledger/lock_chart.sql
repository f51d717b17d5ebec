-- Makes accounts and categories of a ledger one transaction at a time, before any of them: joining categories takes this
-- lock too, and whoever waited for it with accounts half made would block the one who holds it.
select pg_advisory_xact_lock(hashtextextended('ledger_account_category_nestings:' || $1::uuid, 0))
