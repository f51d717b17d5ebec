-- The event that a delivery is about.
select id, resource, event_name, entity_id, snapshot, created_at from ledger_events where sequence = $1
