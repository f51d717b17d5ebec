-- The dead letter a job became.
select id from dead_letters where job_id = $1
