-- The ledger that was chosen for a name.
select id from treasury_ledgers where base_url = $1 and organization_id = $2 and name = $3
