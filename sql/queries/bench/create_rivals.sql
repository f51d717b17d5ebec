-- What the comparisons write to, in a scratch database only: rows without balances, and bare balances without guarantees.
-- The product's own tables as far as rows cost: columns, checks and indexes, but no triggers and no foreign keys. One
-- sequence numbers the transactions: no account meets a number twice, which is all that its versions have to be here.
create table same_transactions (like ledger_transactions including all);
create table same_entries (like ledger_entries including all);
create sequence same_numbers;

-- As little as a ledger can do with.
create table narrow_transactions (
    id bigint generated always as identity primary key,
    external_id text not null unique,
    effective_at timestamptz not null,
    posted_at timestamptz not null,
    metadata jsonb not null
);
create table narrow_entries (
    transaction_id bigint not null,
    n smallint not null,
    account_id bigint not null,
    side smallint not null,
    amount bigint not null,
    effective_at timestamptz not null,
    primary key (transaction_id, n)
);
create index on narrow_entries (account_id, effective_at);

-- Balances, and nothing that protects them.
create table bare_accounts (id bigint primary key, currency text not null);
create table bare_balances (
    account_id bigint primary key references bare_accounts,
    debits bigint not null default 0,
    credits bigint not null default 0,
    lock_version bigint not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create table bare_transactions (
    id bigint generated always as identity primary key,
    external_id text not null unique,
    effective_at timestamptz not null,
    posted_at timestamptz not null,
    metadata jsonb not null
);
create table bare_entries (
    transaction_id bigint not null,
    n smallint not null,
    account_id bigint not null,
    side smallint not null,
    amount bigint not null,
    lock_version bigint not null,
    debits bigint not null,
    credits bigint not null,
    effective_at timestamptz not null,
    primary key (transaction_id, n)
);
create unique index on bare_entries (account_id, lock_version);
create index on bare_entries (account_id, effective_at);
