-- Loan events with what became of them. A correction decides, then an open dead letter, then the outcome; else the event
-- is queued.
select m.id, m.webhook_id, m.type, m.loan_id, m.received_at,
    case
        when next.message_id is not null then 'corrected'
        when d.reason_class = 'impossible_event' then 'refused'
        when d.id is not null then 'dead_letter'
        when o.state in ('applied', 'held') then o.state
        else 'queued'
    end as state,
    case
        when next.message_id is not null then o.reason
        when d.reason_class = 'impossible_event' then coalesce(o.reason, d.reason)
        when d.id is not null then d.reason
        when o.state in ('applied', 'held') then o.reason
    end as reason,
    case when d.reason_class = 'impossible_event' or next.message_id is not null then o.field end as field,
    case when o.state = 'held' then o.needs else '{}' end as needs,
    case when o.state in ('applied', 'held') or d.reason_class = 'impossible_event' or next.message_id is not null
        then o.decided_at end as decided_at,
    case when o.state = 'held' then o.held_since end as held_since,
    o.ledger_transaction_id, s.id as saga_id, d.id as dead_letter_id,
    corrected.webhook_id as corrects, correction.webhook_id as corrected_by
from inbox_messages m
left join event_outcomes o on o.message_id = m.id
left join sagas s on s.message_id = m.id
left join event_corrections former on former.message_id = m.id
left join inbox_messages corrected on corrected.id = former.corrects
left join event_corrections next on next.corrects = m.id
left join inbox_messages correction on correction.id = next.message_id
left join lateral (
    select l.id, l.reason_class, l.reason from dead_letters l
    where l.kind = 'apply_event' and l.subject = m.id and l.replayed_at is null
    order by l.id desc limit 1
) as d on true
where m.id = any ($1::bigint[])
order by m.id desc
