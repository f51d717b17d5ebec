-- Dead letters, replayed or not, with what each is about.
select d.id, d.job_id, d.kind, d.attempt, d.created_at, d.reason_class, d.reason, d.buried_at, d.replayed_at,
    d.replayed_job_id, coalesce(m.webhook_id, s.event_id, p.event_id) as event_id, s.id as saga_id,
    coalesce(m.loan_id, s.loan_id, p.loan_id) as loan_id
from dead_letters d
left join inbox_messages m on d.kind in ('apply_event', 'codat_webhook') and m.id = d.subject
left join sagas s on d.kind = 'advance_saga' and s.id = d.subject
left join treasury_postings p on d.kind = 'deliver_posting' and p.id = d.subject
where d.id = any ($1::bigint[])
order by d.id desc
