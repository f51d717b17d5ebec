-- One page of loan events in whose place a person sent another, newest first.
select m.id
from event_corrections c
join inbox_messages m on m.id = c.corrects
where ($1::text is null or m.loan_id = $1) and ($2::bigint is null or m.id < $2)
order by m.id desc limit $3
