-- What an idempotency key led to while it is kept.
select status, content from api_idempotency_keys where digest = $1 and created_at > now() - $2::interval
