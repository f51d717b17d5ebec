-- One unfinished job.
select id, kind, lane, subject, state, attempt, nullif(run_at, 'infinity') as run_at, created_at, worker, reason from jobs where id = $1
