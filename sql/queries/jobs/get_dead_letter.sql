-- One dead letter, replayed or not.
select id, job_id, kind, lane, subject, attempt, created_at, reason_class, reason, buried_at, replayed_at, replayed_job_id
from dead_letters where id = $1
