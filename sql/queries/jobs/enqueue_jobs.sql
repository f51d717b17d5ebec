-- Enqueue jobs at the end of their lanes; answers their ids in the order given.
select enqueue_jobs($1::text[], $2::bigint[], $3::bigint[])
