-- Show where a saga is and what it waits for; a finished saga stays finished.
update sagas
set state = $2, waiting_for = $3, reason = $4, stalled_since = $5, changed_at = now(),
    finished_at = case when $2 in ('succeeded', 'abandoned') then now() end
where id = $1
  and state in ('queued', 'running', 'waiting')
  and (state, waiting_for, reason, stalled_since) is distinct from ($2::text, $3::text, $4::text, $5::timestamptz)
