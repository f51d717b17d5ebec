-- Unfinished jobs after a given id, of every kind and state or of the given ones.
select id, kind, lane, subject, state, attempt, nullif(run_at, 'infinity') as run_at, created_at, worker, reason
from jobs
where id > $1 and ($2::text is null or kind = $2) and ($3::smallint is null or state = $3)
order by id limit $4
