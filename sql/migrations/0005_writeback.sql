-- The writeback: what each borrower's connection looks like, which accounts it maps, and every saga with its steps.

-- What Codat last said of a connection; a status of 'Missing' is our word for its 404.
create table connections (
    connection_id uuid        primary key,
    company_id    uuid        not null,
    platform      text        not null,
    platform_name text        not null,
    status        text        not null check (status in ('PendingAuth', 'Linked', 'Unlinked', 'Deauthorized', 'Missing')),
    lock_date     date,
    -- Null once somebody says that something has changed: it is asked for again before the next step.
    checked_at    timestamptz
);

-- Versions of a mapping are never edited once ready: what was written keeps the version it was written with.
create table mappings (
    connection_id       uuid        not null,
    version             integer     not null check (version > 0),
    company_id          uuid        not null,
    profile             text        not null check (profile in ('matched', 'codat-2023', 'codat-2026')),
    currency            text        not null,
    enabled             boolean     not null,
    lender_kind         text        not null check (lender_kind in ('bank_account', 'source_account')),
    lender_account_id   text,
    lender_feed_id      text,
    -- QuickBooks Online and Sage take statement lines through a connection of their own.
    feed_connection_id  uuid        not null,
    borrower_account_id text        not null,
    expense_account_id  text,
    supplier_id         text,
    supplier_name       text        not null,
    -- Only some platforms want a tax rate on a direct cost.
    tax_rate_id         text,
    state               text        not null check (state in ('creating', 'ready', 'failed')),
    reason              text,
    -- The request as it was made, so that a person can see what was asked for and the creation can be resumed.
    request             jsonb       not null,
    created_at          timestamptz not null,
    primary key (connection_id, version),
    check (
        state <> 'ready'
        or (lender_account_id is not null and lender_feed_id is not null
            and expense_account_id is not null and supplier_id is not null)
    )
);

-- One movement of money, or one mapping to be created, from its first step to its last.
create table sagas (
    id                    bigint      generated always as identity primary key,
    kind                  text        not null check (kind in ('loan', 'mapping')),
    message_id            bigint      unique,
    event_id              text,
    loan_id               text,
    company_id            uuid        not null,
    connection_id         uuid        not null,
    currency              text        not null,
    effective_date        date        not null,
    movement              jsonb,
    ledger_transaction_id uuid,
    mapping_version       integer,
    state                 text        not null default 'queued'
                          check (state in ('queued', 'running', 'waiting', 'succeeded', 'abandoned')),
    waiting_for           text        check (waiting_for in ('mapping', 'connection', 'person', 'codat')),
    reason                text,
    -- Since when it gets nowhere though it should within moments; null while it moves.
    stalled_since         timestamptz,
    created_at            timestamptz not null default now(),
    changed_at            timestamptz not null default now(),
    finished_at           timestamptz,
    check ((kind = 'loan') = (message_id is not null and event_id is not null and loan_id is not null and movement is not null)),
    check (kind = 'loan' or mapping_version is not null),
    check ((state = 'waiting') = (waiting_for is not null)),
    check (state <> 'waiting' or reason is not null),
    check ((state in ('succeeded', 'abandoned')) = (finished_at is not null))
);
create index sagas_loan_id on sagas (loan_id, id);
create index sagas_unfinished on sagas (connection_id, id) where state in ('queued', 'running', 'waiting');

-- One record to be written. Everything the request needs is stored here before the request leaves.
create table steps (
    id                 bigint      generated always as identity primary key,
    saga_id            bigint      not null references sagas (id),
    n                  smallint    not null check (n > 0),
    kind               text        not null,
    purpose            text        not null,
    state              text        not null default 'planned'
                       check (state in ('planned', 'sending', 'pending', 'succeeded', 'failed', 'unknown')),
    reference          text        not null unique,
    amount             numeric     not null,
    currency           text        not null,
    mapping_version    integer     not null,
    compensates        bigint      references steps (id),
    -- Counts requests that may be told apart at Codat: each generation has an Idempotency-Key of its own.
    key_generation     smallint    not null default 1 check (key_generation > 0),
    idempotency_key    uuid        unique,
    date               date,
    balance            numeric,
    path               text,
    body               bytea,
    first_sent_at      timestamptz,
    push_operation_key uuid        unique,
    accepted_at        timestamptz,
    record_id          text,
    refusal            jsonb,
    refused_at         timestamptz,
    unknown_since      timestamptz,
    unknown_cause      text,
    -- Looking for it: when a sync was last asked for, Codat's own time of the one before for each kind of record that
    -- is read (null when there was none), and how many have come since.
    sync_requested_at  timestamptz,
    sync_baseline      jsonb,
    syncs_seen         smallint    not null default 0,
    -- A person lets the step be tried again, once it was looked for once more.
    resend_allowed     boolean     not null default false,
    revision           integer     not null default 1,
    changed_at         timestamptz not null default now(),
    unique (saga_id, n),
    check (state <> 'planned' or (idempotency_key is null and body is null and first_sent_at is null)),
    check (state <> 'sending' or (idempotency_key is not null and body is not null and path is not null
                                  and date is not null and first_sent_at is not null)),
    check (state <> 'pending' or (push_operation_key is not null and accepted_at is not null)),
    check (state <> 'succeeded' or record_id is not null),
    check (state <> 'failed' or (refusal is not null and refused_at is not null)),
    check ((state = 'unknown') = (unknown_since is not null and unknown_cause is not null))
);

create index steps_record_id on steps (record_id) where record_id is not null;

-- What was asked and what came back, in order, kept for ever: the history of a step whose columns only show the present.
create table step_attempts (
    id             bigint      generated always as identity primary key,
    step_id        bigint      not null references steps (id),
    at             timestamptz not null,
    key_generation smallint    not null,
    action         text        not null,
    outcome        text        not null,
    detail         text
);
create index step_attempts_step_id on step_attempts (step_id, id);

-- One statement per lender's account: lines go one at a time, so that balances run on and dates never run back.
create table bank_feeds (
    connection_id uuid    not null,
    account_id    text    not null,
    balance       numeric not null,
    newest_date   date,
    held_by_step  bigint  references steps (id),
    primary key (connection_id, account_id)
);

-- Push operations Codat's webhooks spoke of, kept because the webhook may overtake the answer that names its step.
create table push_webhooks (
    push_operation_key uuid        primary key,
    status             text        not null,
    heard_at           timestamptz not null
);
create index push_webhooks_oldest on push_webhooks (heard_at);

create function refuse_change_of_history() returns trigger language plpgsql as $$
begin
    raise exception '% is a history: rows are added, never changed', tg_table_name using errcode = 'LW010';
end
$$;
create trigger step_attempts_append_only before update or delete or truncate on step_attempts
    for each statement execute function refuse_change_of_history();

call keep_triggers_on();
