-- What an idempotency key led to while it is kept. Runs after the key is locked, to see what the last holder committed.
select status, content from api_idempotency_keys where digest = $1 and created_at > now() - $2::interval
