-- Closes a dead letter with the job that was queued in its stead; nothing happens when it is closed already.
update dead_letters d set replayed_at = clock_timestamp(), replayed_job_id = j.id
from jobs j
where d.id = $1 and d.replayed_at is null and j.kind = $2 and j.subject = $3
returning d.replayed_job_id
