-- Make waiting jobs ready now, and running ones ready again as soon as they want to wait.
select wake_jobs($1::text, $2::bigint[])
