-- One page of loan events given up for another reason than their content, newest first.
select m.id
from dead_letters d
join inbox_messages m on m.id = d.subject
where d.kind = 'apply_event' and d.replayed_at is null and d.reason_class <> 'impossible_event'
    and ($1::text is null or m.loan_id = $1) and ($2::bigint is null or m.id < $2)
order by m.id desc limit $3
