-- The result of one resource that was tried.
select id, request_id, status, params, entity_type, entity_id, entity, created_at, updated_at
from bulk_results
where id = $1 and status <> 'pending'
