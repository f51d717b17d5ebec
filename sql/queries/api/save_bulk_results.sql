-- Puts down what became of some resources and counts them; the last one completes the request.
with done as (
    update bulk_results r
    set status = case when outcome.entity_type = 'bulk_error' then 'failed' else 'successful' end,
        entity_type = outcome.entity_type, entity_id = outcome.entity_id, entity = outcome.entity::json,
        updated_at = now()
    from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[]) as outcome(id, entity_type, entity_id, entity)
    where r.id = outcome.id and r.status = 'pending'
    returning r.status
), counted as (
    select count(*) filter (where status = 'successful') as successful,
           count(*) filter (where status = 'failed') as failed
    from done
)
update bulk_requests q
set success_result_count = success_result_count + counted.successful,
    failed_result_count = failed_result_count + counted.failed,
    status = case when success_result_count + failed_result_count + counted.successful + counted.failed
                       = total_resource_count then 'completed' else 'processing' end,
    updated_at = now()
from counted
where q.id = $1
returning q.sequence, q.id, q.action_type, q.resource_type, q.status, q.total_resource_count, q.success_result_count,
          q.failed_result_count, q.metadata, q.created_at, q.updated_at
