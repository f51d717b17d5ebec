-- Every saga is driven by one job; sagas of one lane run in the order they were created.
select enqueue_jobs($1::text[], $2::bigint[], $3::bigint[])
