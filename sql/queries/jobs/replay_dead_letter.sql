-- Enqueue a dead letter's job once more, at the end of its lane; nothing happens when that was done before.
with letter as (
    select id, kind, lane, subject from dead_letters where id = $1 and replayed_at is null for update
), again as materialized (
    select l.id, (enqueue_jobs(array[l.kind], array[l.lane], array[l.subject]))[1] as job_id from letter l
)
update dead_letters d set replayed_at = clock_timestamp(), replayed_job_id = a.job_id
from again a where d.id = a.id
returning d.replayed_job_id
