-- Keeps a bulk request and a pending result for each of its resources.
with request as (
    insert into bulk_requests (action_type, resource_type, total_resource_count, metadata)
    values ($1, $2, cardinality($4::text[]), $3::jsonb)
    returning *
), results as (
    insert into bulk_results (request_id, place, params)
    select request.id, resource.place, resource.params::json
    from request, unnest($4::text[]) with ordinality as resource(params, place)
)
select sequence, id, action_type, resource_type, status, total_resource_count, success_result_count,
       failed_result_count, metadata, created_at, updated_at
from request
