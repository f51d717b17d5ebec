-- Keeps what idempotency keys led to. An expired key that is not pruned yet begins anew, any other is left as it is:
-- fewer rows than keys mean that another call was first.
insert into api_idempotency_keys (digest, status, content)
select * from unnest($1::bytea[], $2::smallint[], $3::bytea[])
on conflict (digest) do update set status = excluded.status, content = excluded.content, created_at = now()
where api_idempotency_keys.created_at <= now() - $4::interval
