-- Extend the lease unless the jobs under it were already given to others.
update job_workers set lease_until = clock_timestamp() + $2::interval where id = $1 and not lost returning true
