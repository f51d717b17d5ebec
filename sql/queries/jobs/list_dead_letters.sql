-- Dead letters after a given id that nobody replayed yet, of every class or of the given one.
select id, job_id, kind, lane, subject, attempt, created_at, reason_class, reason, buried_at, replayed_at, replayed_job_id
from dead_letters
where id > $1 and replayed_at is null and ($2::text is null or reason_class = $2)
order by id limit $3
