-- Give one job up on a person's word, unless it is running.
select bury_jobs(array_agg(idle.id), array_agg($2::text), array_agg($3::text)), count(*)
from (select id from jobs where id = $1 and state <> 1 for update) as idle
having count(*) > 0
