-- Forgets bulk requests that completed long ago and whose results are forgotten already.
delete from bulk_requests
where ctid = any(array(
    select q.ctid
    from bulk_requests q
    where q.created_at <= now() - $1::interval and q.updated_at <= now() - $1::interval and q.status = 'completed'
      and not exists (select from bulk_results r where r.request_id = q.id)
    limit $2 for update skip locked
))
