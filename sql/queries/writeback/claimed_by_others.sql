-- Which of these push operations and records already belong to another step of the connection.
select t.push_operation_key, t.record_id
from steps t
join sagas s on s.id = t.saga_id
where s.connection_id = $1
  and t.id <> $2
  and (t.push_operation_key = any ($3::uuid[]) or t.record_id = any ($4::text[]))
