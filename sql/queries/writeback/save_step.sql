-- Store a step's next state over the very revision it was decided from; no row means someone else moved it first.
update steps
set state = $3, mapping_version = $4, key_generation = $5, idempotency_key = $6, date = $7, balance = $8, path = $9,
    body = $10, first_sent_at = $11, push_operation_key = $12, accepted_at = $13, record_id = $14, refusal = $15,
    refused_at = $16, unknown_since = $17, unknown_cause = $18, sync_requested_at = $19, sync_baseline = $20,
    syncs_seen = $21, resend_allowed = $22,
    revision = revision + 1, changed_at = now()
where id = $1
  and revision = $2
returning revision
