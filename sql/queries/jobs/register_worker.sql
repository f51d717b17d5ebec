-- Open a lease for a process that starts, or that lost its former one.
insert into job_workers (id, name, lease_until) values ($1, $2, clock_timestamp() + $3::interval)
