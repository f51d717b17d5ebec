-- One page of loan events that wait for another, newest first.
select o.message_id as id
from event_outcomes o
where o.state = 'held' and ($1::text is null or (o.subject_kind = 'loan' and o.subject_id = $1))
    and ($2::bigint is null or o.message_id < $2)
order by o.message_id desc limit $3
