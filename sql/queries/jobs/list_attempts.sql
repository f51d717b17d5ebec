-- Every failed attempt of a job and of the jobs it is a replay of, oldest first.
with recursive lives (job_id) as (
    select $1::bigint
    union
    select d.job_id from dead_letters d join lives l on d.replayed_job_id = l.job_id
)
select a.job_id, a.attempt, a.at, a.worker, a.outcome, a.error
from job_attempts a join lives l on l.job_id = a.job_id
order by a.id
