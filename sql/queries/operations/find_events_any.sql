-- One page of loan events, newest first.
select m.id
from inbox_messages m
where m.source = 'loans' and ($1::text is null or m.loan_id = $1) and ($2::bigint is null or m.id < $2)
order by m.id desc limit $3
