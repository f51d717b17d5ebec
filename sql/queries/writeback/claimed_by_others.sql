-- Which of these push operations and records already belong to another step of the connection. What a deletion takes
-- away was written by the step it undoes: that one claims nothing against it.
select t.push_operation_key, t.record_id
from steps t
join sagas s on s.id = t.saga_id
where s.connection_id = $1
  and t.id <> $2
  and not exists (select from steps d where d.id = $2 and d.kind = 'delete_direct_cost' and d.compensates = t.id)
  and (t.push_operation_key = any ($3::uuid[]) or t.record_id = any ($4::text[]))
