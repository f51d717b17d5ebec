-- Forgets the results of bulk requests that completed long ago, some at a time so that no statement runs long.
delete from bulk_results
where ctid = any(array(
    select r.ctid
    from bulk_requests q
    join bulk_results r on r.request_id = q.id
    where q.created_at <= now() - $1::interval and q.updated_at <= now() - $1::interval and q.status = 'completed'
    limit $2 for update of r skip locked
))
