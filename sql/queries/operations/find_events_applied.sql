-- One page of loan events that took effect, newest first.
select m.id
from inbox_messages m
join event_outcomes o on o.message_id = m.id
where o.state = 'applied' and ($1::text is null or m.loan_id = $1) and ($2::bigint is null or m.id < $2)
order by m.id desc limit $3
