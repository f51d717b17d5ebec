-- The outbox of a ledger that is kept at Modern Treasury.

-- What applied events write, one row for each request that changes something. Written in the transaction that applies
-- the event, with a job in the lane of its loan or investor; sent afterwards, in that order.
create table treasury_postings (
    id bigint generated always as identity primary key,
    -- The event's message, and the row's place among those of the same event: an event is written out once.
    message_id bigint not null,
    place smallint not null,
    event_id text not null,
    loan_id text,
    kind text not null check (kind in ('open', 'create', 'post', 'archive', 'reverse')),
    -- The transaction it creates, changes or reverses; null when it only opens accounts.
    target text,
    -- The request's body. Accounts go by their external ids until it is sent.
    body jsonb not null,
    -- Accounts that must exist before it is sent, with their categories.
    accounts jsonb not null,
    created_at timestamptz not null default now(),
    delivered_at timestamptz,
    -- Where it was delivered: the ledger's id there, and the id of the transaction that was created or changed.
    ledger_id uuid,
    transaction_id uuid,
    unique (message_id, place),
    check ((kind = 'open') = (target is null)),
    check ((delivered_at is null) = (ledger_id is null)),
    check (delivered_at is null or (kind = 'open') = (transaction_id is null))
);

-- What is still to be sent: how much, and since when.
create index treasury_postings_waiting on treasury_postings (created_at) where delivered_at is null;
-- Which id a transaction has there.
create index treasury_postings_created on treasury_postings (target, id) where kind = 'create';

-- The ledgers there that go by a name: Modern Treasury lets several have the same one, so the choice is kept.
create table treasury_ledgers (
    base_url text not null,
    organization_id text not null,
    name text not null,
    id uuid not null,
    primary key (base_url, organization_id, name)
);

-- The accounts and categories that are known to exist there.
create table treasury_objects (
    ledger_id uuid not null,
    kind text not null check (kind in ('account', 'category')),
    external_id text not null,
    id uuid not null,
    -- External ids of the categories it is known to be in.
    within text[] not null,
    -- It was discarded there: another is to be made, under another key.
    is_gone boolean not null default false,
    primary key (ledger_id, kind, external_id)
);
