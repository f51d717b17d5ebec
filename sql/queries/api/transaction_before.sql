-- The ledger of a transaction, which never changes, and its status at this moment.
select ledger_id, status from ledger_transactions where id = $1
