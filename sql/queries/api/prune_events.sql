-- Forgets old events, some at a time so that no statement runs long; one nobody was charged with yet stays.
delete from ledger_events
where ctid = any(array(
    select ctid from ledger_events
    where created_at <= now() - $1::interval and dispatched
    order by created_at
    limit $2 for update skip locked
))
