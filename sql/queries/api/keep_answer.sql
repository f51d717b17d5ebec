-- Keeps what an idempotency key led to; a key that has expired but is not pruned yet begins anew.
insert into api_idempotency_keys (digest, status, content) values ($1, $2, $3)
on conflict (digest) do update set status = excluded.status, content = excluded.content, created_at = now()
