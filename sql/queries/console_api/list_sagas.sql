-- Sagas with where they are and what they wait for, newest first.
select id, kind, event_id, message_id, loan_id, company_id, connection_id, currency, effective_date, movement,
       ledger_transaction_id, mapping_version, state, waiting_for, reason, created_at, changed_at, finished_at
from sagas
where ($1::text is null or loan_id = $1)
  and ($2::text is null or state = $2)
  and ($3::text is null or waiting_for = $3)
  and ($4::bigint is null or id < $4)
order by id desc
limit $5
