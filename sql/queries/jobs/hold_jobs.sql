-- Keep others from taking these jobs over until the surrounding transaction ends; answers those still this worker's.
select id from jobs
where id = any ($2::bigint[]) and worker is not distinct from $1::bigint and state = 1 and not settled
order by id for no key update
