-- One page of sagas, newest first, each filter left out when null.
select s.id
from sagas s
where ($1::text is null or s.loan_id = $1) and ($2::text is null or s.state = $2)
    and ($3::text is null or (s.waiting_for = $3 and s.state = 'waiting')) and ($4::bigint is null or s.id < $4)
order by s.id desc limit $5
