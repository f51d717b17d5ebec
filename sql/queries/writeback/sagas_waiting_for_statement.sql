-- Sagas of a connection whose next line may be waiting for a statement which is free again. Who waits for something
-- else of Codat's is left alone: each look costs requests of the daily quota.
select s.id
from sagas s
where s.connection_id = $1
  and s.state = 'waiting'
  and s.waiting_for = 'codat'
  and (
      select t.kind = 'bank_transaction' and t.state = 'planned'
      from steps t
      where t.saga_id = s.id and t.state <> 'succeeded'
      order by t.n
      limit 1
  )
order by s.id
