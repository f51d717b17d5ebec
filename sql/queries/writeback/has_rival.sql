-- Whether another step of the connection may have written the very record that was found: one whose answer is not
-- recorded yet, or one looked for before this one.
select exists (
    select from steps t
    join sagas s on s.id = t.saga_id
    where s.connection_id = $1
      and t.id <> $2
      and t.kind = $3
      and (t.state = 'sending' or (t.state = 'unknown' and t.id < $2))
)
