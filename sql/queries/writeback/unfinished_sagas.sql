-- Sagas that a change of their connection or mapping may set going again.
select id
from sagas
where connection_id in (select $1 union select connection_id from mappings where feed_connection_id = $1)
  and state in ('queued', 'running', 'waiting')
order by id
