-- Dead letters nobody replayed yet, of one message or saga.
select id
from dead_letters
where kind = any ($1::text[])
  and subject = $2
  and replayed_at is null
order by id
