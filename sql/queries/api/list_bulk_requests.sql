-- Bulk requests, newest first, one more than a page shows; every filter may be left out.
select sequence, id, action_type, resource_type, status, total_resource_count, success_result_count,
       failed_result_count, metadata, created_at, updated_at
from bulk_requests
where ($1::text is null or status = $1)
  and ($2::text is null or resource_type = $2)
  and ($3::text is null or action_type = $3)
  and ($4::jsonb is null or metadata @> $4::jsonb)
  and ($5::uuid is null or (created_at, id) < (select c.created_at, c.id from bulk_requests c where c.id = $5))
order by created_at desc, id desc
limit $6
