-- The first business day of a ledger's pending and posted transactions.
select min(effective_date) from ledger_transactions where ledger_id = $1 and status <> 'archived'
