-- The saga of another step of the connection that may have written the very record that was found: one whose record is
-- not known yet, or one looked for before this one.
select t.saga_id
from steps t
join sagas s on s.id = t.saga_id
where s.connection_id = $1
  and t.id <> $2
  and t.kind = $3
  and (t.state in ('sending', 'pending') or (t.state = 'unknown' and t.id < $2))
order by t.id
limit 1
