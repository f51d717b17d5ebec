-- Takes idempotency keys for the rest of this transaction, and tells what each led to while it is kept.
-- What another call commits between this statement's beginning and its lock stays unseen here; keep_answers sees it.
select pg_try_advisory_xact_lock(asked.lock) as locked, kept.status, kept.content
from unnest($1::bytea[], $2::bigint[]) with ordinality as asked(digest, lock, place)
left join api_idempotency_keys kept on kept.digest = asked.digest and kept.created_at > now() - $3::interval
order by asked.place
