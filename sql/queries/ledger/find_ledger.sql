-- The worker's own ledger of a name.
select id from ledgers where external_id = $1
