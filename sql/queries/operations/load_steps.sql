-- The steps of one saga in the order they are written; their bodies stay where they are.
select id, n, kind, purpose, state, reference, amount, currency, date, mapping_version, compensates, key_generation,
    idempotency_key, first_sent_at, push_operation_key, record_id, refusal, unknown_since, unknown_cause
from steps where saga_id = $1 order by n
