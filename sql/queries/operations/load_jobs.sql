-- Unfinished jobs with what each is about, what it is behind and who runs it.
select j.id, j.kind, j.attempt, nullif(j.run_at, 'infinity') as run_at, j.created_at, j.reason,
    case
        when j.state = 0 then 'ready'
        when j.state = 1 then 'running'
        when j.state = 2 then 'blocked'
        when j.run_at = 'infinity' then 'parked'
        else 'delayed'
    end as state,
    coalesce(m.webhook_id, s.event_id, p.event_id) as event_id, s.id as saga_id, coalesce(m.loan_id, s.loan_id, p.loan_id) as loan_id,
    case when j.state = 2 then (select h.id from jobs h where h.lane = j.lane and h.state <> 2) end as blocked_by,
    case when j.state = 1 then w.name end as worker
from jobs j
left join inbox_messages m on j.kind in ('apply_event', 'codat_webhook') and m.id = j.subject
left join sagas s on j.kind = 'advance_saga' and s.id = j.subject
left join treasury_postings p on j.kind = 'deliver_posting' and p.id = j.subject
left join job_workers w on w.id = j.worker
where j.id = any ($1::bigint[])
order by j.id desc
