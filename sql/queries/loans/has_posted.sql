-- Whether any event was posted to the ledger in this database.
select exists (select from event_outcomes where ledger_transaction_id is not null)
