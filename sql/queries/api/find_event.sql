-- One event by its id.
select id, resource, event_name, entity_id, snapshot, created_at from ledger_events where id = $1
