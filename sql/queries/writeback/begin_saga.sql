-- Fix the mapping version a saga starts with; only one replica's plan is kept.
update sagas
set state = 'running', mapping_version = $2, waiting_for = null, reason = null, stalled_since = null,
    changed_at = now()
where id = $1
  and not exists (select from steps where saga_id = $1)
  and state in ('queued', 'running', 'waiting')
returning id
