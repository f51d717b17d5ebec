-- One page of loan events nobody has decided yet, newest first; found by their jobs, which are few.
select m.id
from inbox_messages m
left join event_outcomes o on o.message_id = m.id
where m.id in (select j.subject from jobs j where j.kind = 'apply_event')
    and coalesce(o.state not in ('applied', 'held'), true)
    and ($1::text is null or m.loan_id = $1) and ($2::bigint is null or m.id < $2)
order by m.id desc limit $3
