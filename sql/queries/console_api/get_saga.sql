-- One saga.
select id, kind, event_id, message_id, loan_id, company_id, connection_id, currency, effective_date, movement,
       ledger_transaction_id, mapping_version, state, waiting_for, reason, created_at, changed_at, finished_at
from sagas
where id = $1
