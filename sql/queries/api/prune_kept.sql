-- Forgets the answers of expired idempotency keys, some at a time so that no statement runs long.
delete from api_idempotency_keys
where ctid = any(array(
    select ctid from api_idempotency_keys where created_at <= now() - $1::interval limit $2 for update skip locked
))
