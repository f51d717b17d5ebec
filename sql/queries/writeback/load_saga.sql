-- One saga as it stands.
select id, kind, event_id, loan_id, company_id, connection_id, currency, effective_date, movement, mapping_version,
       state, waiting_for, reason, stalled_since
from sagas
where id = $1
