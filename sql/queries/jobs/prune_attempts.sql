-- Forget a portion of the failed attempts of jobs that ended well, once they are old enough.
delete from job_attempts where id in (
    select a.id from job_attempts a
    where a.at < clock_timestamp() - $1::interval
        and not exists (select from jobs j where j.id = a.job_id)
        and not exists (select from dead_letters d where d.job_id = a.job_id or d.replayed_job_id = a.job_id)
    order by a.id limit $2
)
returning id
