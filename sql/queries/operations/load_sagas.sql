-- Sagas with how many of their steps are written.
select s.id, s.kind, s.event_id, s.loan_id, s.company_id, s.connection_id, s.currency, s.effective_date, s.movement,
    s.ledger_transaction_id, s.mapping_version, s.state, s.waiting_for, s.reason, s.created_at, s.changed_at,
    s.finished_at, count(t.id) as steps_total, count(t.id) filter (where t.state = 'succeeded') as steps_succeeded
from sagas s
left join steps t on t.saga_id = s.id
where s.id = any ($1::bigint[])
group by s.id
order by s.id desc
