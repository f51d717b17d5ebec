-- Holds the bulk request that a job is about: what two workers do of it follows one another.
select sequence, id, action_type, resource_type, status, total_resource_count, success_result_count,
       failed_result_count, metadata, created_at, updated_at
from bulk_requests
where sequence = $1
for update
