-- The next resources of a bulk request, in the order they were sent.
select id, params from bulk_results where request_id = $1 and status = 'pending' order by place limit $2
