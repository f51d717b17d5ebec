-- Whose line is in flight on a statement, and since when.
select t.saga_id, t.first_sent_at
from bank_feeds f
join steps t on t.id = f.held_by_step
where f.connection_id = $1
  and f.account_id = $2
