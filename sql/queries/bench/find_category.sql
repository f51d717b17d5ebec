-- A category by its external id.
select id from ledger_account_categories where ledger_id = $1 and external_id = $2
