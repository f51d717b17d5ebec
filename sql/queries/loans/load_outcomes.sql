-- What became of these messages; one that is missing is still queued.
select message_id, subject_kind, subject_id, state, reason, field, needs, held_since, ledger_transaction_id, decided_at
from event_outcomes where message_id = any($1::bigint[])
