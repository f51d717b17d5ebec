-- Tells of what became of an object, in the transaction in which it did.
insert into ledger_events (resource, event_name, entity_id, snapshot) values ($1, $2, $3, $4::jsonb)
