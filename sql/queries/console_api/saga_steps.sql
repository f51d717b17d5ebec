-- One saga's steps as they stand.
select id, n, kind, purpose, state, reference, amount, currency, date, balance, mapping_version, compensates,
       key_generation, idempotency_key, path, body, first_sent_at, push_operation_key,
       record_id, refusal, unknown_since, unknown_cause, changed_at
from steps
where saga_id = $1
order by n
