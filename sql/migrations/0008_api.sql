-- The ledger's API: what its callers may repeat, and the objects they see.

-- What an idempotency key led to, so that a repeated call answers the same without doing it again. digest fingerprints
-- the caller and the key: keys of two callers never meet, and no key is kept as it was sent. Only success is kept, in
-- the transaction that had the effect. Rows come in the order of time, which is all that pruning needs from an index.
create table api_idempotency_keys (
    digest bytea primary key check (length(digest) = 32),
    status smallint not null check (status between 200 and 299),
    content bytea not null,
    created_at timestamptz not null default now()
) with (autovacuum_vacuum_insert_scale_factor = 0.05);

create index api_idempotency_keys_age on api_idempotency_keys using brin (created_at) with (autosummarize = on);
