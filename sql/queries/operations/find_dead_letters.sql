-- One page of dead letters nobody replayed yet, newest first, each filter left out when null.
select d.id
from dead_letters d
left join inbox_messages m on d.kind in ('apply_event', 'codat_webhook') and m.id = d.subject
left join sagas s on d.kind = 'advance_saga' and s.id = d.subject
left join treasury_postings p on d.kind = 'deliver_posting' and p.id = d.subject
where d.replayed_at is null and ($1::text is null or d.kind = $1)
    and ($2::text is null or coalesce(m.loan_id, s.loan_id, p.loan_id) = $2) and ($3::bigint is null or d.id < $3)
order by d.id desc limit $4
