-- The lender's ledger: double entry, append-only.
--
-- The program decides what to write (worker/ledger/evaluate.py); these tables refuse whatever breaks the books, for
-- every role, the owner and a superuser included. Refusals carry a code of their own:
--   LW001  a transaction that is incomplete or does not balance per currency
--   LW002  a change, removal or truncation of what is final
--   LW003  a status change that the entries do not follow
--   LW004  a balance or an account version that no entry explains
--   LW005  a category that mixes ledgers or currencies, nests too deep or contains itself
--   LW006  a new entry on a discarded account
--   LW007  creations decided at a moment that is yet to come
--   LW008  a settlement that takes over other than it says, or a change to what it settles with
--   LW009  another external id, or the end, of an account or category that loan events find by it
--   LW010  other metadata that tells whose account it is, of one that loan events find
--
-- Every check looks at a whole statement at once (transition tables), and one statement writes a transaction, its
-- entries and the balances they lead to: entries that come later, however balanced, find their transaction complete.
-- A status is text under a check, an amount a whole number of the currency's minor units.

-- Ledgers and their accounts: what rarely changes. Balances live apart, so that renaming an account never waits for
-- money and money never waits for a rename. external_id of a ledger is the worker's own name for it.
create table ledgers (
    id uuid primary key default gen_random_uuid(),
    external_id text unique,
    name text not null,
    description text,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    discarded_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- for_loans is said of accounts and categories that the worker counts on: loan events find them by external_id.
create table ledger_accounts (
    id uuid primary key default gen_random_uuid(),
    ledger_id uuid not null references ledgers,
    external_id text,
    for_loans boolean not null default false,
    name text not null,
    description text,
    normal_balance text not null check (normal_balance in ('debit', 'credit')),
    currency text not null check (currency <> ''),
    currency_exponent smallint not null check (currency_exponent between 0 and 30),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    ledgerable_type text,
    ledgerable_id uuid,
    discarded_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (ledger_id, external_id)
);

-- The running sums of an account. pending_* include posted_*: what is settled and what is in flight. lock_version
-- counts the writes to the account. Half of each page stays free and nothing but the key is indexed, so that an update
-- stays on its page and touches no index.
create table ledger_account_balances (
    account_id uuid primary key references ledger_accounts,
    posted_debits numeric not null default 0,
    posted_credits numeric not null default 0,
    pending_debits numeric not null default 0,
    pending_credits numeric not null default 0,
    lock_version bigint not null default 0,
    check (posted_debits between 0 and pending_debits),
    check (posted_credits between 0 and pending_credits)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- What the live entries effective on a day (UTC) add to an account's sums, so that the sums at any moment are those of the
-- days before and of that day's own entries. Written with the balance and under its lock; the audit compares them.
create table ledger_account_days (
    account_id uuid not null references ledger_accounts,
    day date not null,
    posted_debits numeric not null,
    posted_credits numeric not null,
    pending_debits numeric not null,
    pending_credits numeric not null,
    primary key (account_id, day)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Transactions. The live entries are those numbered first_entry to last_entry: a pending transaction whose entries are
-- replaced discards the old ones and goes on with higher numbers. content_digest fingerprints what the creator asked
-- for, so that a repeated external_id can be told from a contradicting one. The last 16 bits of an id are zero: an
-- entry's own id is its transaction's plus its number.
-- ledger_id needs no foreign key: every transaction has entries, their accounts are checked to be of this ledger.
-- dated_apart is null unless live entries have different moments; then it is what lies after the first of them, up to and
-- with the last: the moments before which the transaction does not balance.
-- Moments are of the days that worker/calendar.py has: any of them, and its day before and after, can be read and counted
-- with, unlike infinity.
create table ledger_transactions (
    id uuid primary key,
    ledger_id uuid not null,
    status text not null check (status in ('pending', 'posted', 'archived')),
    external_id text,
    description text,
    effective_at timestamptz not null,
    effective_date date not null generated always as ((effective_at at time zone 'UTC')::date) stored,
    dated_apart tstzrange,
    posted_at timestamptz,
    archived_reason text,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    reverses_ledger_transaction_id uuid references ledger_transactions,
    partially_posts_ledger_transaction_id uuid references ledger_transactions,
    ledgerable_type text,
    ledgerable_id uuid,
    first_entry integer not null default 1,
    last_entry integer not null,
    content_digest bytea not null,
    version integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (effective_at >= '1900-01-01Z' and effective_at < '9999-01-01Z'),
    check (first_entry >= 1 and last_entry > first_entry),
    check ((status = 'posted') = (posted_at is not null)),
    check (archived_reason is null or status = 'archived')
);

create unique index ledger_transactions_live_external_id
    on ledger_transactions (ledger_id, external_id) where status <> 'archived' and external_id is not null;
create index ledger_transactions_archived_external_id
    on ledger_transactions (ledger_id, external_id) where status = 'archived' and external_id is not null;
create unique index ledger_transactions_reversed_once
    on ledger_transactions (reverses_ledger_transaction_id)
    where status <> 'archived' and reverses_ledger_transaction_id is not null;
create index ledger_transactions_dated_apart on ledger_transactions using gist (dated_apart)
    where dated_apart is not null;
create index ledger_transactions_metadata on ledger_transactions using gin (metadata jsonb_path_ops);

-- Entries: an entry's status is its transaction's. lock_version is the account version this write produced, the sums
-- are the account's after it; that no two writes share a version proves that none was lost. posted_at_once says of an
-- entry that it was posted as it was written: nothing becomes of it any more, and nobody has to look at its transaction
-- for that. Only metadata may change, last at edited_at. transaction_id and account_id are checked by trigger instead of
-- by foreign keys, set by set instead of row by row.
create table ledger_entries (
    transaction_id uuid not null,
    account_id uuid not null,
    effective_at timestamptz not null,
    lock_version bigint not null check (lock_version >= 1),
    n integer not null check (n >= 1),
    posted_at_once boolean not null,
    direction text not null check (direction in ('debit', 'credit')),
    amount numeric(36, 0) not null check (amount >= 0),
    posted_debits numeric not null,
    posted_credits numeric not null,
    pending_debits numeric not null,
    pending_credits numeric not null,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default now(),
    edited_at timestamptz,
    check (effective_at >= '1900-01-01Z' and effective_at < '9999-01-01Z'),
    primary key (transaction_id, n)
);

create unique index ledger_entries_version on ledger_entries (account_id, lock_version);
-- The predicate is always true. It keeps lookups by version, which say nothing of time, from straying into this index.
create index ledger_entries_effective on ledger_entries (account_id, effective_at) where effective_at is not null;

-- What became of a pending entry: posted or archived with its transaction, or discarded for newer entries. Each is a
-- write to the account like an entry and takes a version of its own.
create table ledger_entry_transitions (
    transaction_id uuid not null,
    account_id uuid not null,
    created_at timestamptz not null default now(),
    lock_version bigint not null check (lock_version >= 1),
    n integer not null,
    to_status text not null check (to_status in ('posted', 'archived', 'discarded')),
    posted_debits numeric not null,
    posted_credits numeric not null,
    pending_debits numeric not null,
    pending_credits numeric not null,
    primary key (transaction_id, n)
);

create unique index ledger_entry_transitions_version on ledger_entry_transitions (account_id, lock_version);

-- Each state a transaction has left, written by the trigger below and by nothing else.
create table ledger_transaction_versions (
    transaction_id uuid not null,
    version integer not null,
    status text not null,
    external_id text,
    description text,
    effective_at timestamptz not null,
    posted_at timestamptz,
    archived_reason text,
    metadata jsonb not null,
    ledgerable_type text,
    ledgerable_id uuid,
    first_entry integer not null,
    last_entry integer not null,
    created_at timestamptz not null,
    primary key (transaction_id, version)
);

-- A ledger's hash chain (worker/ledger/chain.py): one link for each batch, over the digests of the states of
-- transactions that the batch wrote. The head's row is the lock that puts the batches of a ledger in one order. It is
-- taken after every other lock, by the statement that writes and then only waits for its commit.
create table ledger_chain (
    ledger_id uuid not null,
    position bigint not null check (position >= 1),
    transaction_ids uuid[] not null,
    versions integer[] not null,
    digests bytea not null,
    hash bytea not null,
    created_at timestamptz not null default now(),
    primary key (ledger_id, position)
);
alter table ledger_chain alter transaction_ids set storage external, alter versions set storage external,
    alter digests set storage external;

create table ledger_chain_heads (
    ledger_id uuid primary key,
    position bigint not null,
    hash bytea not null
) with (fillfactor = 10);

-- Which process decides a ledger's batches ahead of the locks, and until when (worker/ledger/election.py). A crash may
-- forget it: only speed depends on it.
create unlogged table ledger_posters (
    ledger_id uuid primary key,
    process_id uuid not null,
    term_ends_at timestamptz not null
) with (fillfactor = 10);

-- Categories add up accounts and other categories of one ledger and currency.
create table ledger_account_categories (
    id uuid primary key default gen_random_uuid(),
    ledger_id uuid not null references ledgers,
    external_id text,
    for_loans boolean not null default false,
    name text not null,
    description text,
    normal_balance text not null check (normal_balance in ('debit', 'credit')),
    currency text not null check (currency <> ''),
    currency_exponent smallint not null check (currency_exponent between 0 and 30),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    discarded_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (ledger_id, external_id)
);

create table ledger_account_category_members (
    category_id uuid not null references ledger_account_categories,
    account_id uuid not null references ledger_accounts,
    primary key (category_id, account_id)
);

create index ledger_account_category_members_account on ledger_account_category_members (account_id);

create table ledger_account_category_nestings (
    parent_id uuid not null references ledger_account_categories,
    child_id uuid not null references ledger_account_categories,
    primary key (parent_id, child_id)
);

create index ledger_account_category_nestings_child on ledger_account_category_nestings (child_id);

-- Every account in a category, directly or nested, once however it is reached; and their sums. The posting statement
-- keeps the sums, the triggers on members and nestings keep both. Locks are taken in one order by everybody: a change
-- of nestings or members holds the ledger's advisory lock, alone or shared; then come the balances of the accounts
-- concerned, then those of the categories, each by id. Whoever holds an account's balance knows its categories; whoever
-- decides on a category's sums locks it at once with all those that its own accounts are in.
create table ledger_category_contents (
    account_id uuid not null references ledger_accounts,
    category_id uuid not null references ledger_account_categories,
    primary key (account_id, category_id)
);

create index ledger_category_contents_category on ledger_category_contents (category_id);

create table ledger_category_balances (
    category_id uuid primary key references ledger_account_categories,
    posted_debits numeric not null default 0,
    posted_credits numeric not null default 0,
    pending_debits numeric not null default 0,
    pending_credits numeric not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- Nothing is ever removed, and what is final is never changed.
create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % of % is refused', lower(tg_op), tg_table_name
        using errcode = 'LW002', hint = 'Correct a posted transaction by reversing it.';
end $$;

create trigger refuse_removal before delete or truncate on ledgers
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_accounts
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_account_balances
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_account_days
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_transactions
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_entries
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_entry_transitions
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_transaction_versions
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_chain
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_chain_heads
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_category_balances
    for each statement execute function ledger_refuse_change();

create trigger refuse_change before update on ledger_entry_transitions
    for each statement execute function ledger_refuse_change();
create trigger refuse_change before update on ledger_transaction_versions
    for each statement execute function ledger_refuse_change();
create trigger refuse_change before update on ledger_chain
    for each statement execute function ledger_refuse_change();
create trigger refuse_forgery before insert on ledger_transaction_versions
    for each statement when (pg_trigger_depth() = 0) execute function ledger_refuse_change();
create trigger refuse_change
    before update of transaction_id, account_id, effective_at, lock_version, n, posted_at_once, direction, amount,
                     posted_debits, posted_credits, pending_debits, pending_credits, created_at on ledger_entries
    for each statement execute function ledger_refuse_change();
create trigger refuse_change
    before update of id, ledger_id, normal_balance, currency, currency_exponent on ledger_accounts
    for each statement execute function ledger_refuse_change();

-- The running sums of an account as one value, those of one of its versions, and whether an amount on one side leads from
-- some sums to others.
create type ledger_sums as (
    posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric
);

create function ledger_sums_at(of_account uuid, version bigint) returns ledger_sums language sql stable as $$
    select case when version = 0 then row(0, 0, 0, 0)::ledger_sums else coalesce(
        (select row(e.posted_debits, e.posted_credits, e.pending_debits, e.pending_credits)::ledger_sums
         from ledger_entries e where e.account_id = of_account and e.lock_version = version),
        (select row(m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits)::ledger_sums
         from ledger_entry_transitions m where m.account_id = of_account and m.lock_version = version)
    ) end
$$;

create function ledger_sums_follow(
    before ledger_sums, direction text, posted numeric, pending numeric, after ledger_sums
) returns boolean language sql immutable as $$
    select case direction
        when 'debit' then (after).posted_debits = (before).posted_debits + posted
                      and (after).pending_debits = (before).pending_debits + pending
                      and (after).posted_credits = (before).posted_credits
                      and (after).pending_credits = (before).pending_credits
        else (after).posted_credits = (before).posted_credits + posted
         and (after).pending_credits = (before).pending_credits + pending
         and (after).posted_debits = (before).posted_debits
         and (after).pending_debits = (before).pending_debits
    end
$$;

-- New entries: their transaction is of the accounts' ledger, is complete with exactly these entries, has both sides and
-- balances in each currency; no account is out of use, unless what was done there is undone. Each entry is the next
-- version of its account, without a gap or a double, up to one that the balance has counted; its sums are those of the
-- version before, moved by its amount as far as the transaction's status says; and it tells whether that is posted.
-- Plans are kept for the life of a session, and the first is made when the tables are small. What has a limit is looked
-- up row by row through an index, whatever the planner believes then; other joins are hashed.
create function ledger_check_entries() returns trigger language plpgsql
    set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off set enable_hashjoin = on
    set enable_sort = off as $$
declare
    wrong uuid;
    out_of_use boolean;
    complete boolean;
    uncounted uuid;
begin
    with accounts as materialized (
        select touched.*, a.ledger_id, a.currency, a.currency_exponent, a.discarded, b.lock_version as counted
        from (select account_id, min(lock_version) as lowest, max(lock_version) as highest
              from added group by account_id) as touched
        left join lateral (
            select ledger_id, currency, currency_exponent, discarded_at is not null as discarded
            from ledger_accounts where id = touched.account_id limit 1
        ) as a on true
        left join lateral (
            select lock_version from ledger_account_balances where account_id = touched.account_id limit 1
        ) as b on true
    ), transactions as materialized (
        select named.transaction_id, t.*
        from (select distinct transaction_id from added) as named
        left join lateral (
            select ledger_id, status, first_entry, last_entry, reverses_ledger_transaction_id
            from ledger_transactions where id = named.transaction_id limit 1
        ) as t on true
    ), versions as (
        select account_id, lock_version, posted_debits, posted_credits, pending_debits, pending_credits,
               transaction_id, n, direction, amount, posted_at_once
        from added
        union all
        select touched.account_id, others.*, null, null, null, null, null
        from accounts touched
        cross join lateral (
            (select 0, 0, 0, 0, 0 where touched.lowest = 1
             union all
             select lock_version, posted_debits, posted_credits, pending_debits, pending_credits
             from ledger_entries where account_id = touched.account_id and lock_version = touched.lowest - 1
             limit 1)
            union all
            (select lock_version, posted_debits, posted_credits, pending_debits, pending_credits
             from ledger_entry_transitions
             where account_id = touched.account_id and lock_version between touched.lowest - 1 and touched.highest
             limit touched.highest)
        ) as others
    ), steps as (
        select account_id, transaction_id, n, direction, amount, posted_at_once,
               lock_version - lag(lock_version) over ahead as step,
               posted_debits - lag(posted_debits) over ahead as posted_debits,
               posted_credits - lag(posted_credits) over ahead as posted_credits,
               pending_debits - lag(pending_debits) over ahead as pending_debits,
               pending_credits - lag(pending_credits) over ahead as pending_credits
        from versions
        -- A version that is there already comes before a new one of the same number, which then is no step from it.
        window ahead as (partition by account_id order by lock_version, n nulls first)
    ), entries as (
        select e.transaction_id, e.account_id, e.n, e.direction, e.amount, a.currency, a.currency_exponent, a.discarded,
               a.ledger_id = t.ledger_id and e.posted_at_once = (t.status = 'posted') as belongs,
               e.step = 1 and a.counted >= a.highest and case e.direction
                   when 'debit' then e.posted_debits = case t.status when 'posted' then e.amount else 0 end
                                 and e.pending_debits = case t.status when 'archived' then 0 else e.amount end
                                 and e.posted_credits = 0 and e.pending_credits = 0
                   else e.posted_credits = case t.status when 'posted' then e.amount else 0 end
                    and e.pending_credits = case t.status when 'archived' then 0 else e.amount end
                    and e.posted_debits = 0 and e.pending_debits = 0
               end as follows
        from steps e
        join accounts a on a.account_id = e.account_id
        join transactions t on t.transaction_id = e.transaction_id
    ), wholes as (
        select transaction_id, bool_and(belongs and difference = 0) as balanced,
               bool_or(has_debit) and bool_or(has_credit) as two_sided, sum(entries) as entries,
               min(first_entry) as first_entry, max(last_entry) as last_entry, bool_or(discarded) as discarded,
               (array_agg(astray) filter (where astray is not null))[1] as astray
        from (
            select transaction_id, bool_and(belongs) is true as belongs, count(*) as entries,
                   sum(case direction when 'debit' then amount else -amount end) as difference,
                   min(n) as first_entry, max(n) as last_entry, bool_or(discarded) as discarded,
                   bool_or(direction = 'debit') as has_debit, bool_or(direction = 'credit') as has_credit,
                   (array_agg(account_id) filter (where follows is not true))[1] as astray
            from entries
            group by transaction_id, currency, currency_exponent
        ) as per_currency
        group by transaction_id
    )
    select transaction_id, w.discarded and t.reverses_ledger_transaction_id is null, is_whole, w.astray
    into wrong, out_of_use, complete, uncounted
    from transactions t
    join wholes w using (transaction_id)
    cross join lateral (
        select (w.balanced and w.two_sided and w.first_entry = t.first_entry and w.last_entry = t.last_entry
                and w.entries = t.last_entry - t.first_entry + 1) is true as is_whole
    ) as judged
    where w.discarded and t.reverses_ledger_transaction_id is null or not is_whole or w.astray is not null
    limit 1;
    if not found then
        return null;
    elsif out_of_use then
        raise exception 'ledger transaction % has an entry on a discarded account', wrong using errcode = 'LW006';
    elsif not complete then
        raise exception 'the entries of ledger transaction % are incomplete, late, unbalanced or of another status', wrong
            using errcode = 'LW001';
    else
        raise exception 'the balance of ledger account % does not follow its new entries', uncounted
            using errcode = 'LW004';
    end if;
end $$;

create trigger check_entries after insert on ledger_entries
    referencing new table as added for each statement execute function ledger_check_entries();

-- A new transaction begins with its first version and has entries (whose own check demands all of them).
create function ledger_check_new_transactions() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    select t.id into wrong
    from added t
    where t.first_entry <> 1 or t.version <> 0
       or (select e.n from ledger_entries e where e.transaction_id = t.id and e.n = t.first_entry) is null
    limit 1;
    if found then
        raise exception 'ledger transaction % has no entries', wrong using errcode = 'LW001';
    end if;
    return null;
end $$;

create trigger check_new_transactions after insert on ledger_transactions
    referencing new table as added for each statement execute function ledger_check_new_transactions();

-- A changed transaction: once final only its metadata may change, its identity never does, and the state it leaves is
-- kept as a version.
create function ledger_guard_transaction() returns trigger language plpgsql as $$
begin
    if row(old.id, old.ledger_id, old.created_at, old.content_digest, old.reverses_ledger_transaction_id,
           old.partially_posts_ledger_transaction_id)
       is distinct from
       row(new.id, new.ledger_id, new.created_at, new.content_digest, new.reverses_ledger_transaction_id,
           new.partially_posts_ledger_transaction_id)
    or old.status <> 'pending' and
       row(old.status, old.external_id, old.description, old.effective_at, old.dated_apart, old.posted_at, old.archived_reason,
           old.ledgerable_type, old.ledgerable_id, old.first_entry, old.last_entry)
       is distinct from
       row(new.status, new.external_id, new.description, new.effective_at, new.dated_apart, new.posted_at, new.archived_reason,
           new.ledgerable_type, new.ledgerable_id, new.first_entry, new.last_entry)
    then
        raise exception 'ledger transaction % may not be changed once it is %', old.id, old.status
            using errcode = 'LW002', hint = 'Correct a posted transaction by reversing it.';
    end if;
    if new.first_entry <> old.first_entry and new.first_entry <> old.last_entry + 1
    or new.first_entry = old.first_entry and new.last_entry <> old.last_entry
    then
        raise exception 'the entries of ledger transaction % may only be replaced as a whole', old.id
            using errcode = 'LW002';
    end if;
    insert into ledger_transaction_versions
        (transaction_id, version, status, external_id, description, effective_at, posted_at, archived_reason, metadata,
         ledgerable_type, ledgerable_id, first_entry, last_entry, created_at)
    values
        (old.id, old.version, old.status, old.external_id, old.description, old.effective_at, old.posted_at,
         old.archived_reason, old.metadata, old.ledgerable_type, old.ledgerable_id, old.first_entry, old.last_entry,
         old.updated_at);
    new.version := old.version + 1;
    -- The poster says the moment it decided, under its locks. now() will not do: a database transaction that had to wait
    -- for a lock began before the state it changes was written.
    new.updated_at := coalesce(nullif(current_setting('ledger.moment', true), '')::timestamptz, clock_timestamp());
    return new;
end $$;

create trigger guard_transaction before update on ledger_transactions
    for each row execute function ledger_guard_transaction();

-- The entries follow: all that were live have become what their transaction became, or were discarded for a full set.
create function ledger_check_changed_transactions() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    if not exists (select from after) then
        return null;
    end if;
    select after.id into wrong
    from after
    join before on before.id = after.id
    where row(before.status, before.first_entry) <> row(after.status, after.first_entry)
      and (
        before.last_entry - before.first_entry + 1 <> (
            select count(*)
            from ledger_entry_transitions m
            where m.transaction_id = before.id
              and m.n between before.first_entry and before.last_entry
              and m.to_status = case before.first_entry when after.first_entry then after.status else 'discarded' end
        )
        or (select e.n from ledger_entries e where e.transaction_id = after.id and e.n = after.first_entry) is null
      )
    limit 1;
    if found then
        raise exception 'the entries of ledger transaction % do not follow its new status', wrong
            using errcode = 'LW003';
    end if;
    return null;
end $$;

create trigger check_changed_transactions after update on ledger_transactions
    referencing old table as before new table as after
    for each statement execute function ledger_check_changed_transactions();

-- New transitions: of an entry that was pending, to what its transaction has become, as a new version of its account.
create function ledger_check_transitions() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    if not exists (select from added) then
        return null;
    end if;
    select m.transaction_id into wrong
    from added m
    where (select e.account_id = m.account_id from ledger_entries e
           where e.transaction_id = m.transaction_id and e.n = m.n) is not true
       or (select case m.to_status when 'discarded' then m.n < t.first_entry
                                   else m.to_status = t.status and m.n >= t.first_entry end
                  and (select v.status = 'pending' from ledger_transaction_versions v
                       where v.transaction_id = t.id and v.version = t.version - 1)
           from ledger_transactions t where t.id = m.transaction_id) is not true
    limit 1;
    if found then
        raise exception 'the entries of ledger transaction % were not pending or did not change', wrong
            using errcode = 'LW003';
    end if;

    select m.account_id into wrong
    from added m
    where (select b.lock_version >= m.lock_version from ledger_account_balances b where b.account_id = m.account_id)
          is not true
       or (select e.n from ledger_entries e
           where e.account_id = m.account_id and e.lock_version = m.lock_version) is not null
       or m.lock_version > 1
          and (select e.n from ledger_entries e
               where e.account_id = m.account_id and e.lock_version = m.lock_version - 1) is null
          and (select p.n from ledger_entry_transitions p
               where p.account_id = m.account_id and p.lock_version = m.lock_version - 1) is null
       or (select ledger_sums_follow(
               ledger_sums_at(m.account_id, m.lock_version - 1), e.direction,
               case m.to_status when 'posted' then e.amount else 0 end,
               case m.to_status when 'posted' then 0 else -e.amount end,
               row(m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits)::ledger_sums)
           from ledger_entries e where e.transaction_id = m.transaction_id and e.n = m.n) is not true
    limit 1;
    if found then
        raise exception 'the balance of ledger account % does not follow its new entries', wrong
            using errcode = 'LW004';
    end if;
    return null;
end $$;

create trigger check_transitions after insert on ledger_entry_transitions
    referencing new table as added for each statement execute function ledger_check_transitions();

-- A new balance is zero; a changed one moves on to a written version and equals it.
create function ledger_check_new_balances() returns trigger language plpgsql as $$
begin
    if exists (select from added
               where row(posted_debits, posted_credits, pending_debits, pending_credits, lock_version)
                     <> row(0, 0, 0, 0, 0)) then
        raise exception 'a ledger account begins with a balance of zero' using errcode = 'LW004';
    end if;
    return null;
end $$;

create trigger check_new_balances after insert on ledger_account_balances
    referencing new table as added for each statement execute function ledger_check_new_balances();

create function ledger_check_changed_balances() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    select after.account_id into wrong
    from after
    where coalesce(
            (select row(after.posted_debits, after.posted_credits, after.pending_debits, after.pending_credits)
                    = row(e.posted_debits, e.posted_credits, e.pending_debits, e.pending_credits)
             from ledger_entries e
             where e.account_id = after.account_id and e.lock_version = after.lock_version),
            (select row(after.posted_debits, after.posted_credits, after.pending_debits, after.pending_credits)
                    = row(m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits)
             from ledger_entry_transitions m
             where m.account_id = after.account_id and m.lock_version = after.lock_version)
          ) is not true
    limit 1;
    if found then
        raise exception 'no entry explains the new balance of ledger account %', wrong using errcode = 'LW004';
    end if;
    return null;
end $$;

create function ledger_refuse_old_version() returns trigger language plpgsql as $$
begin
    raise exception 'ledger account % goes on from version %, not to version %',
        old.account_id, old.lock_version, new.lock_version using errcode = 'LW004';
end $$;

create trigger check_changed_balances after update on ledger_account_balances
    referencing new table as after for each statement execute function ledger_check_changed_balances();
create trigger refuse_old_version after update on ledger_account_balances for each row
    when (new.lock_version <= old.lock_version or new.account_id <> old.account_id)
    execute function ledger_refuse_old_version();

-- Categories: members and children share the category's ledger and currency; at most four levels below a root; no
-- category contains itself. Nestings of one ledger are made one transaction at a time: no two close a circle together.
create function ledger_check_members() returns trigger language plpgsql as $$
begin
    if exists (select from added m
               join ledger_account_categories c on c.id = m.category_id
               join ledger_accounts a on a.id = m.account_id
               where row(a.ledger_id, a.currency, a.currency_exponent)
                     <> row(c.ledger_id, c.currency, c.currency_exponent)) then
        raise exception 'a category and its accounts must share ledger and currency' using errcode = 'LW005';
    end if;
    return null;
end $$;

create trigger check_members after insert on ledger_account_category_members
    referencing new table as added for each statement execute function ledger_check_members();

create function ledger_check_nestings() returns trigger language plpgsql as $$
declare
    deepest_level constant integer := 4;
    contains_itself boolean;
    too_deep boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
    from (select distinct c.ledger_id from added n join ledger_account_categories c on c.id = n.parent_id
          order by c.ledger_id) as touched;
    if exists (select from added n
               join ledger_account_categories p on p.id = n.parent_id
               join ledger_account_categories c on c.id = n.child_id
               where row(p.ledger_id, p.currency, p.currency_exponent)
                     <> row(c.ledger_id, c.currency, c.currency_exponent)) then
        raise exception 'nested categories must share ledger and currency' using errcode = 'LW005';
    end if;
    with recursive above(start, id, levels) as (
        select distinct parent_id, parent_id, 0 from added
        union
        select above.start, n.parent_id, above.levels + 1
        from above join ledger_account_category_nestings n on n.child_id = above.id
        where above.levels <= deepest_level
    ), below(start, id, levels) as (
        select distinct child_id, child_id, 0 from added
        union
        select below.start, n.child_id, below.levels + 1
        from below join ledger_account_category_nestings n on n.parent_id = below.id
        where below.levels <= deepest_level
    )
    select bool_or(above.id = below.id), bool_or(above.levels + 1 + below.levels > deepest_level)
    into contains_itself, too_deep
    from added
    join above on above.start = added.parent_id
    join below on below.start = added.child_id;
    if contains_itself then
        raise exception 'a category may not contain itself' using errcode = 'LW005';
    elsif too_deep then
        raise exception 'categories nest at most % levels deep', deepest_level using errcode = 'LW005';
    end if;
    return null;
end $$;

create trigger check_nestings after insert on ledger_account_category_nestings
    referencing new table as added for each statement execute function ledger_check_nestings();

create trigger refuse_change before update on ledger_account_category_nestings
    for each statement execute function ledger_refuse_change();
create trigger refuse_change before update on ledger_account_category_members
    for each statement execute function ledger_refuse_change();
create trigger refuse_change before update of id, ledger_id, currency, currency_exponent on ledger_account_categories
    for each statement execute function ledger_refuse_change();

-- What loan events find by its external id keeps it: otherwise the next of them would open another one in its place.
create function ledger_keep_for_loans() returns trigger language plpgsql as $$
begin
    raise exception 'Loan events find % by its external_id: it may neither be renamed there nor discarded; its name, description and metadata may be edited',
        old.external_id using errcode = 'LW009';
end $$;

create trigger keep_for_loans before update of external_id, discarded_at, for_loans on ledger_accounts for each row
    when (old.for_loans and (new.external_id is distinct from old.external_id or new.discarded_at is not null
                             or not new.for_loans))
    execute function ledger_keep_for_loans();
create trigger keep_for_loans before update of external_id, discarded_at, for_loans on ledger_account_categories
    for each row
    when (old.for_loans and (new.external_id is distinct from old.external_id or new.discarded_at is not null
                             or not new.for_loans))
    execute function ledger_keep_for_loans();

-- A loan's and an investor's accounts are those whose metadata names it: otherwise their reports would lack an account.
create function ledger_keep_party() returns trigger language plpgsql as $$
begin
    raise exception 'Loan events count on %: loanID and investorID in its metadata stay as they are, other keys may be edited',
        old.external_id using errcode = 'LW010';
end $$;

create trigger keep_party before update of metadata on ledger_accounts for each row
    when (old.for_loans and (new.metadata -> 'loanID' is distinct from old.metadata -> 'loanID'
                             or new.metadata -> 'investorID' is distinct from old.metadata -> 'investorID'))
    execute function ledger_keep_party();

-- Categories begin with sums of zero.
create function ledger_open_categories() returns trigger language plpgsql as $$
begin
    insert into ledger_category_balances (category_id) select id from added order by id;
    return null;
end $$;

create trigger open_categories after insert on ledger_account_categories
    referencing new table as added for each statement execute function ledger_open_categories();

-- Brings what the categories contain of these accounts, and the categories' sums, in line with members and nestings.
create function ledger_settle_categories(accounts uuid[]) returns void language plpgsql set enable_seqscan = off as $$
begin
    perform from ledger_account_balances where account_id = any(accounts) order by account_id for no key update;
    with recursive reached(account_id, category_id) as (
        select m.account_id, m.category_id from ledger_account_category_members m where m.account_id = any(accounts)
        union
        select r.account_id, n.parent_id
        from reached r join ledger_account_category_nestings n on n.child_id = r.category_id
    ), entered as (
        insert into ledger_category_contents (account_id, category_id)
        select account_id, category_id from reached
        on conflict do nothing
        returning account_id, category_id
    ), gone as (
        delete from ledger_category_contents c
        where c.account_id = any(accounts) and (c.account_id, c.category_id) not in (select * from reached)
        returning c.account_id, c.category_id
    ), changes as materialized (
        select moved.category_id,
               sum(moved.factor * b.posted_debits) as posted_debits, sum(moved.factor * b.posted_credits) as posted_credits,
               sum(moved.factor * b.pending_debits) as pending_debits,
               sum(moved.factor * b.pending_credits) as pending_credits
        from (select *, 1 as factor from entered union all select *, -1 from gone) as moved
        join ledger_account_balances b on b.account_id = moved.account_id
        where b.lock_version > 0
        group by moved.category_id
    ), locked as materialized (
        select category_id from ledger_category_balances
        where category_id in (select category_id from changes)
        order by category_id
        for no key update
    )
    update ledger_category_balances b
    set posted_debits = b.posted_debits + changes.posted_debits,
        posted_credits = b.posted_credits + changes.posted_credits,
        pending_debits = b.pending_debits + changes.pending_debits,
        pending_credits = b.pending_credits + changes.pending_credits
    from locked join changes using (category_id)
    where b.category_id = locked.category_id;
end $$;

create function ledger_settle_members() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
    from (select distinct c.ledger_id from changed m join ledger_account_categories c on c.id = m.category_id
          order by c.ledger_id) as touched;
    perform ledger_settle_categories(array(select distinct account_id from changed));
    return null;
end $$;

create trigger settle_new_members after insert on ledger_account_category_members
    referencing new table as changed for each statement execute function ledger_settle_members();
create trigger settle_former_members after delete on ledger_account_category_members
    referencing old table as changed for each statement execute function ledger_settle_members();

create function ledger_settle_nestings() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
    from (select distinct c.ledger_id from changed n join ledger_account_categories c on c.id = n.parent_id
          order by c.ledger_id) as touched;
    perform ledger_settle_categories(array(select distinct c.account_id from ledger_category_contents c
                                           where c.category_id in (select child_id from changed)));
    return null;
end $$;

create trigger settle_new_nestings after insert on ledger_account_category_nestings
    referencing new table as changed for each statement execute function ledger_settle_nestings();
create trigger settle_former_nestings after delete on ledger_account_category_nestings
    referencing old table as changed for each statement execute function ledger_settle_nestings();

create trigger refuse_truncate before truncate on ledger_account_category_members
    for each statement execute function ledger_refuse_change();
create trigger refuse_truncate before truncate on ledger_account_category_nestings
    for each statement execute function ledger_refuse_change();

-- How a batch is written. Numbers come as the text of their arrays, which costs both sides less than element by element.
-- What repeats in many rows (transactions, accounts, moments, days, metadata of entries) comes once, and rows tell its
-- place. Rows are told by their number, which costs less than unnesting a dozen arrays side by side. The plans are made
-- once for batches of any length, without scans.

-- What follows from the entries of a batch, written once they are: the days' deltas, the sums of the categories above
-- the accounts, and the link that seals the states of its transactions. The balances are locked; then come the
-- categories, in one order for everybody, and last the ledger's chain.
create function ledger_write_sums(
    of_ledger uuid, moment timestamptz, accounts uuid[], days date[], day_account integer[], day_day integer[],
    day_posted_debits numeric[], day_posted_credits numeric[], day_pending_debits numeric[],
    day_pending_credits numeric[], state_ids uuid[], state_versions integer[], state_digests bytea
) returns void language plpgsql set enable_hashjoin = on as $$
begin
    with moves as materialized (
        select accounts[day_account[i]] as account_id, days[day_day[i]] as day, day_posted_debits[i] as posted_debits,
               day_posted_credits[i] as posted_credits, day_pending_debits[i] as pending_debits,
               day_pending_credits[i] as pending_credits
        from generate_subscripts(day_account, 1) as i
    ), new_days as (
        insert into ledger_account_days as d
            (account_id, day, posted_debits, posted_credits, pending_debits, pending_credits)
        select account_id, day, posted_debits, posted_credits, pending_debits, pending_credits from moves
        on conflict (account_id, day) do update
        set posted_debits = d.posted_debits + excluded.posted_debits,
            posted_credits = d.posted_credits + excluded.posted_credits,
            pending_debits = d.pending_debits + excluded.pending_debits,
            pending_credits = d.pending_credits + excluded.pending_credits
    ), category_changes as materialized (
        select c.category_id, sum(posted_debits) as posted_debits, sum(posted_credits) as posted_credits,
               sum(pending_debits) as pending_debits, sum(pending_credits) as pending_credits
        from moves
        cross join lateral (
            select category_id from ledger_category_contents where account_id = moves.account_id
            offset 0  -- account by account through the index: joined at large, all contents would be read for a batch
        ) as c
        group by c.category_id
    ), locked_categories as materialized (
        select category_id
        from ledger_category_balances
        where category_id = any(array(select category_id from category_changes))
        order by category_id
        for no key update
    ), changed_categories as (
        update ledger_category_balances b
        set posted_debits = b.posted_debits + change.posted_debits,
            posted_credits = b.posted_credits + change.posted_credits,
            pending_debits = b.pending_debits + change.pending_debits,
            pending_credits = b.pending_credits + change.pending_credits
        from locked_categories locked
        join category_changes change using (category_id)
        where b.category_id = locked.category_id
        returning b.category_id
    ), head as (
        insert into ledger_chain_heads (ledger_id, position, hash)
        select of_ledger, 1, sha256(decode(repeat('00', 32), 'hex') || state_digests)
        from (select count(*) from changed_categories) as categories
        where cardinality(state_ids) > 0
        on conflict (ledger_id) do update
        set position = ledger_chain_heads.position + 1, hash = sha256(ledger_chain_heads.hash || state_digests)
        returning position, hash
    )
    insert into ledger_chain (ledger_id, position, transaction_ids, versions, digests, hash, created_at)
    select of_ledger, position, state_ids, state_versions, state_digests, hash, moment from head;
end $$;

-- Writes creations, and answers with the moment. The accounts need not have been locked before it was decided: they come
-- in the order of their ids and are found one by one, and what was decided on anything but their present versions and
-- sums does not go on from them, which the tables refuse. What was decided at a moment yet to come is refused here:
-- whatever tells by the clock what was there already, as a statement does, would never show it. Transactions, entries
-- and balances are one statement, because each statement is checked as a whole.
create function ledger_write_new(
    of_ledger uuid, moment timestamptz, accounts uuid[],
    ids uuid[], statuses text, external_ids text[], descriptions text[], moments timestamptz[], apart text[],
    metadata_texts text[], reasons text[], ledgerable_types text[], ledgerable_ids uuid[], last_entries text, digests bytea[],
    entry_moments timestamptz[], entry_metadata jsonb[], entry_transaction text, entry_account text,
    entry_moment text, entry_kind text, entry_numbers text, entry_directions text, entry_amounts text,
    entry_versions text, entry_posted_debits text, entry_posted_credits text, entry_pending_debits text,
    entry_pending_credits text,
    balance_versions text, balance_posted_debits text, balance_posted_credits text, balance_pending_debits text,
    balance_pending_credits text,
    days date[], day_account text, day_day text, day_posted_debits text, day_posted_credits text,
    day_pending_debits text, day_pending_credits text, state_digests bytea
) returns timestamptz language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    status constant text[] := statuses;
    last_n constant integer[] := last_entries;
    of_transaction constant integer[] := entry_transaction;
    of_account constant integer[] := entry_account;
    at_moment constant integer[] := entry_moment;
    of_kind constant integer[] := entry_kind;
    number constant integer[] := entry_numbers;
    side constant text[] := entry_directions;
    amounts constant numeric[] := entry_amounts;
    version constant bigint[] := entry_versions;
    debits constant numeric[] := entry_posted_debits;
    credits constant numeric[] := entry_posted_credits;
    debits_pending constant numeric[] := entry_pending_debits;
    credits_pending constant numeric[] := entry_pending_credits;
    new_version constant bigint[] := balance_versions;
    new_debits constant numeric[] := balance_posted_debits;
    new_credits constant numeric[] := balance_posted_credits;
    new_debits_pending constant numeric[] := balance_pending_debits;
    new_credits_pending constant numeric[] := balance_pending_credits;
begin
    if moment > clock_timestamp() then
        raise exception 'creations were decided at %, which is yet to come', moment using errcode = 'LW007';
    end if;
    with new_transactions as (
        insert into ledger_transactions
            (ledger_id, id, status, external_id, description, effective_at, dated_apart, metadata, archived_reason,
             ledgerable_type, ledgerable_id, last_entry, content_digest, posted_at, created_at, updated_at)
        select of_ledger, ids[i], status[i], external_ids[i], descriptions[i], moments[i], apart[i]::tstzrange,
               metadata_texts[i]::jsonb, reasons[i], ledgerable_types[i], ledgerable_ids[i], last_n[i], digests[i],
               case status[i] when 'posted' then moment end, moment, moment
        from generate_subscripts(ids, 1) as i
    ), new_entries as (
        insert into ledger_entries
            (transaction_id, account_id, effective_at, metadata, n, posted_at_once, direction, amount, lock_version,
             posted_debits, posted_credits, pending_debits, pending_credits, created_at)
        select ids[of_transaction[i]], accounts[of_account[i]], entry_moments[at_moment[i]], entry_metadata[of_kind[i]],
               number[i], status[of_transaction[i]] = 'posted', side[i], amounts[i], version[i], debits[i], credits[i],
               debits_pending[i], credits_pending[i], moment
        from generate_subscripts(of_transaction, 1) as i
    )
    update ledger_account_balances b
    set lock_version = new_version[place],
        posted_debits = new_debits[place],
        posted_credits = new_credits[place],
        pending_debits = new_debits_pending[place],
        pending_credits = new_credits_pending[place]
    from unnest(accounts) with ordinality as named (account_id, place)
    where b.account_id = named.account_id and place <= cardinality(new_version);
    perform ledger_write_sums(
        of_ledger, moment, accounts, days, day_account::integer[], day_day::integer[], day_posted_debits::numeric[],
        day_posted_credits::numeric[], day_pending_debits::numeric[], day_pending_credits::numeric[], ids,
        array_fill(0, array[cardinality(ids)]), state_digests);
    return clock_timestamp();
end $$;

-- Writes whatever a batch decided under the locks of the accounts and of the transactions it changes, in one statement
-- for the same reason.
create function ledger_write_round(
    of_ledger uuid, moment timestamptz, accounts uuid[],
    new_ids uuid[], new_statuses text[], new_external_ids text[], new_descriptions text[], new_moments timestamptz[],
    new_apart text[], new_metadata text[], new_reasons text[], new_reverses uuid[], new_wholes uuid[], new_ledgerable_types text[],
    new_ledgerable_ids uuid[], new_last_entries integer[], new_digests bytea[],
    entry_transactions uuid[], entry_moments timestamptz[], entry_metadata jsonb[], entry_transaction text,
    entry_account text, entry_moment text, entry_kind text, entry_numbers text, entry_directions text,
    entry_amounts text, entry_versions text, entry_posted_debits text, entry_posted_credits text,
    entry_pending_debits text, entry_pending_credits text,
    moved_transactions uuid[], moved_numbers integer[], moved_accounts uuid[], moved_statuses text[],
    moved_versions bigint[], moved_posted_debits numeric[], moved_posted_credits numeric[],
    moved_pending_debits numeric[], moved_pending_credits numeric[],
    changed_ids uuid[], changed_statuses text[], changed_external_ids text[], changed_descriptions text[],
    changed_moments timestamptz[], changed_apart text[], changed_metadata text[], changed_reasons text[], changed_ledgerable_types text[],
    changed_ledgerable_ids uuid[], changed_first_entries integer[], changed_last_entries integer[],
    balance_versions text, balance_posted_debits text, balance_posted_credits text, balance_pending_debits text,
    balance_pending_credits text,
    days date[], day_account text, day_day text, day_posted_debits text, day_posted_credits text,
    day_pending_debits text, day_pending_credits text,
    state_ids uuid[], state_versions text, state_digests bytea
) returns void language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
    if cardinality(changed_ids) > 0 then
        perform set_config('ledger.moment', moment::text, true);
    end if;
    with new_balances as (
        select accounts[place] as account_id, lock_version, posted_debits, posted_credits, pending_debits,
               pending_credits
        from unnest(balance_versions::bigint[], balance_posted_debits::numeric[], balance_posted_credits::numeric[],
                    balance_pending_debits::numeric[],
                    balance_pending_credits::numeric[])
            with ordinality
            as new (lock_version, posted_debits, posted_credits, pending_debits, pending_credits, place)
    ), new_transactions as (
        insert into ledger_transactions
            (ledger_id, id, status, external_id, description, effective_at, dated_apart, metadata, archived_reason,
             reverses_ledger_transaction_id, partially_posts_ledger_transaction_id, ledgerable_type, ledgerable_id,
             last_entry, content_digest, posted_at, created_at, updated_at)
        select of_ledger, id, status, external_id, description, effective_at, dated_apart::tstzrange, metadata::jsonb,
               archived_reason, reverses, partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest,
               case status when 'posted' then moment end, moment, moment
        from unnest(new_ids, new_statuses, new_external_ids, new_descriptions, new_moments, new_apart,
                    new_metadata, new_reasons, new_reverses, new_wholes,
                    new_ledgerable_types, new_ledgerable_ids, new_last_entries, new_digests)
            as new (id, status, external_id, description, effective_at, dated_apart, metadata, archived_reason,
                    reverses, partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest)
    ), new_entries as (
        insert into ledger_entries
            (transaction_id, account_id, effective_at, metadata, n, posted_at_once, direction, amount, lock_version,
             posted_debits, posted_credits, pending_debits, pending_credits, created_at)
        select entry_transactions[of_transaction], accounts[of_account], entry_moments[at_moment],
               entry_metadata[with_metadata], n,
               entry_transactions[of_transaction] in (
                   select id
                   from unnest(new_ids || changed_ids, new_statuses || changed_statuses) as written (id, status)
                   where status = 'posted'),
               direction, amount, lock_version, posted_debits, posted_credits, pending_debits, pending_credits, moment
        from unnest(entry_transaction::int[], entry_account::int[], entry_moment::int[], entry_kind::int[],
                    entry_numbers::int[],
                    entry_directions::text[], entry_amounts::numeric[], entry_versions::bigint[],
                    entry_posted_debits::numeric[],
                    entry_posted_credits::numeric[], entry_pending_debits::numeric[],
                    entry_pending_credits::numeric[])
            as new (of_transaction, of_account, at_moment, with_metadata, n, direction, amount, lock_version,
                    posted_debits, posted_credits, pending_debits, pending_credits)
    ), new_transitions as (
        insert into ledger_entry_transitions
            (transaction_id, n, account_id, to_status, lock_version,
             posted_debits, posted_credits, pending_debits, pending_credits, created_at)
        select moved.*, moment
        from unnest(moved_transactions, moved_numbers, moved_accounts, moved_statuses, moved_versions,
                    moved_posted_debits, moved_posted_credits, moved_pending_debits, moved_pending_credits) as moved
    ), changed_transactions as (
        update ledger_transactions t
        set status = changed.status,
            external_id = changed.external_id,
            description = changed.description,
            effective_at = changed.effective_at,
            dated_apart = changed.dated_apart::tstzrange,
            metadata = changed.metadata::jsonb,
            posted_at = case changed.status when 'posted' then coalesce(t.posted_at, moment) end,
            archived_reason = changed.archived_reason,
            ledgerable_type = changed.ledgerable_type,
            ledgerable_id = changed.ledgerable_id,
            first_entry = changed.first_entry,
            last_entry = changed.last_entry
        from unnest(changed_ids, changed_statuses, changed_external_ids, changed_descriptions, changed_moments,
                    changed_apart, changed_metadata, changed_reasons,
                    changed_ledgerable_types, changed_ledgerable_ids, changed_first_entries, changed_last_entries)
            as changed (id, status, external_id, description, effective_at, dated_apart, metadata, archived_reason,
                        ledgerable_type, ledgerable_id, first_entry, last_entry)
        where t.id = changed.id
    )
    update ledger_account_balances b
    set lock_version = new.lock_version,
        posted_debits = new.posted_debits,
        posted_credits = new.posted_credits,
        pending_debits = new.pending_debits,
        pending_credits = new.pending_credits
    from new_balances new
    where b.account_id = new.account_id;
    perform ledger_write_sums(
        of_ledger, moment, accounts, days, day_account::integer[], day_day::integer[], day_posted_debits::numeric[],
        day_posted_credits::numeric[], day_pending_debits::numeric[], day_pending_credits::numeric[], state_ids,
        state_versions::integer[], state_digests);
end $$;

-- The balances a batch will touch, without waiting for whoever is writing them, and whether any of its external ids is
-- taken already. A function for the sake of its plan, which would else be made anew for every batch.
create function ledger_read_balances(
    of_ledger uuid, account_names text[], account_ids uuid[], new_external_ids text[]
) returns table (
    id uuid, ledger_id uuid, external_id text, normal_balance text, currency text, currency_exponent smallint,
    discarded boolean, posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric,
    lock_version bigint, now timestamptz, taken boolean
) language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    select a.id, a.ledger_id, a.external_id, a.normal_balance, a.currency, a.currency_exponent,
           a.discarded_at is not null, b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits,
           b.lock_version, clock_timestamp(),
           exists (select from ledger_transactions t
                   where t.ledger_id = of_ledger and t.external_id = any(new_external_ids) and t.status <> 'archived')
    from (
        select named.id from ledger_accounts named
        where named.ledger_id = of_ledger and named.external_id = any(account_names)
        union
        select unnest(account_ids)
    ) as named
    join ledger_accounts a on a.id = named.id
    join ledger_account_balances b on b.account_id = a.id;
end $$;

-- What a batch of changes locks and reads: functions for the sake of their plans, which go from the
-- named to their rows one by one, however much the tables have grown since the plans were made.

-- Locks the transactions a batch will change or reverse, in one order for everybody. An external id names the live
-- transaction, and none any more once whoever held the lock has archived it.
create function ledger_lock_transactions(of_ledger uuid, names text[], named_ids uuid[]) returns table (id uuid)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    select locked.id
    from (
        select live.id
        from unnest(names) as named (external_id)
        cross join lateral (
            select id from ledger_transactions
            where ledger_id = of_ledger and external_id = named.external_id and status <> 'archived'
            limit 1
        ) as live
        union
        select unnest(named_ids)
        order by id
    ) as named
    cross join lateral (
        select id from ledger_transactions
        where id = named.id and ledger_id = of_ledger
          and (id = any(named_ids) or external_id = any(names) and status <> 'archived')
        for no key update
    ) as locked;
end $$;

-- The live entries of locked transactions as they stand: what changing or reversing them moves. Version and sums are
-- those of an entry's last write: of its posting or archiving, or else of its own.
create function ledger_live_entries(of_transactions uuid[]) returns table (
    transaction_id uuid, n integer, account_id uuid, direction text, amount numeric, effective_at timestamptz,
    metadata jsonb, created_at timestamptz, lock_version bigint, posted_debits numeric, posted_credits numeric,
    pending_debits numeric, pending_credits numeric, updated_at timestamptz
) language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at, e.metadata, e.created_at,
           coalesce(m.lock_version, e.lock_version),
           case when m.n is null then e.posted_debits else m.posted_debits end,
           case when m.n is null then e.posted_credits else m.posted_credits end,
           case when m.n is null then e.pending_debits else m.pending_debits end,
           case when m.n is null then e.pending_credits else m.pending_credits end,
           greatest(e.created_at, e.edited_at, m.created_at)
    from unnest(of_transactions) as named (id)
    cross join lateral (
        select first_entry, last_entry from ledger_transactions where id = named.id limit 1
    ) as t
    cross join lateral (
        select * from ledger_entries where transaction_id = named.id and n between t.first_entry and t.last_entry
        limit t.last_entry
    ) as e
    left join lateral (
        select * from ledger_entry_transitions where transaction_id = e.transaction_id and n = e.n limit 1
    ) as m on true
    order by e.transaction_id, e.n;
end $$;

-- What the ledger knows under some external ids, the live transaction of each and the last archived one, and some ids;
-- and the settlement that a transaction was made by.
create function ledger_find_transactions(of_ledger uuid, names text[], named_ids uuid[]) returns table (
    id uuid, ledger_id uuid, status text, external_id text, description text, metadata jsonb, effective_at timestamptz,
    posted_at timestamptz, archived_reason text, ledgerable_type text, ledgerable_id uuid,
    reverses_ledger_transaction_id uuid, partially_posts_ledger_transaction_id uuid, version integer,
    created_at timestamptz, updated_at timestamptz, content_digest bytea, reversed_by uuid, settlement_id uuid
) language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    select t.id, t.ledger_id, t.status, t.external_id, t.description, t.metadata, t.effective_at, t.posted_at,
           t.archived_reason, t.ledgerable_type, t.ledgerable_id, t.reverses_ledger_transaction_id,
           t.partially_posts_ledger_transaction_id, t.version, t.created_at, t.updated_at, t.content_digest,
           (select r.id from ledger_transactions r
            where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived'),
           (select s.id from ledger_account_settlements s where s.transaction_id = t.id)
    from (
        select known.id
        from unnest(names) as named (external_id)
        cross join lateral (
            (select id from ledger_transactions
             where ledger_id = of_ledger and external_id = named.external_id and status <> 'archived'
             limit 1)
            union all
            (select id
             from (select id from ledger_transactions
                   where ledger_id = of_ledger and external_id = named.external_id and status = 'archived'
                   offset 0) as archived  -- all of that name, not all in the order of their ids until one has it
             order by id desc
             limit 1)
        ) as known
        union
        select unnest(named_ids)
    ) as named
    cross join lateral (select * from ledger_transactions where id = named.id limit 1) as t
    where t.ledger_id = of_ledger;
end $$;

-- Locks the sums of every category the accounts are in, in one order for everybody; their balances are locked already.
create function ledger_lock_categories(accounts uuid[]) returns void language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
    perform
    from (
        select distinct contents.category_id
        from unnest(accounts) as named (account_id)
        cross join lateral (
            select category_id from ledger_category_contents where account_id = named.account_id offset 0
        ) as contents
        order by category_id
    ) as named
    cross join lateral (
        select from ledger_category_balances where category_id = named.category_id for no key update
    ) as locked;
end $$;

-- Locks the sums of the categories that a batch's conditions name, together with those of all categories that its accounts
-- are in, which the posting statement locks: all at once, in one order for everybody. The accounts are locked already:
-- which of them a category contains will not change.
create function ledger_lock_named_categories(of_ledger uuid, accounts uuid[], names uuid[])
returns table (
    id uuid, normal_balance text, posted_debits numeric, posted_credits numeric, pending_debits numeric,
    pending_credits numeric, contained uuid[]
) language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    with named as materialized (
        select category.*
        from unnest(names) as name (id)
        cross join lateral (
            select c.id, c.normal_balance, c.ledger_id, c.discarded_at from ledger_account_categories c
            where c.id = name.id
            limit 1  -- by its id and nothing else: a ledger may have many
        ) as category
        where category.ledger_id = of_ledger and category.discarded_at is null
    ), contents as materialized (
        select inside.category_id, array_agg(held.account_id) as accounts
        from unnest(accounts) as held (account_id)
        cross join lateral (
            select category_id from ledger_category_contents where account_id = held.account_id
            offset 0  -- account by account through the index: a category may contain a million others
        ) as inside
        group by inside.category_id
    ), locked as materialized (
        select sums.*
        from (
            select named.id from named union select category_id from contents order by 1
        ) as wanted
        cross join lateral (
            select b.* from ledger_category_balances b where b.category_id = wanted.id for no key update
        ) as sums
    )
    select named.id, named.normal_balance, locked.posted_debits, locked.posted_credits, locked.pending_debits,
           locked.pending_credits, coalesce(contents.accounts, '{}')
    from named
    join locked on locked.category_id = named.id
    left join contents on contents.category_id = named.id;
end $$;

-- What sums of entries are made of: their status, null of those that were discarded, is looked up only if it may differ
-- from what it was at once.
create view ledger_entries_summed as
select e.account_id, e.effective_at, e.direction, e.amount,
       case when e.posted_at_once then 'posted'
            else (select t.status from ledger_transactions t where t.id = e.transaction_id and e.n >= t.first_entry)
       end as status
from ledger_entries e;

-- The sums of an account over the entries effective before a moment, in the past or the future: those of whole days, and
-- the entries of the moment's own day that are missing or too many. Taken back are those from the moment on when it is
-- past noon, or when they are few: entries of business days are all effective at midnight. The planner puts this into
-- the statement of whoever asks for many accounts.
create function ledger_sums_before(account_id uuid, moment timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language sql stable rows 1 as $$
    with day as (
        select ($2 at time zone 'UTC')::date as day, date_trunc('day', $2, 'UTC') as begins,
               date_trunc('day', $2, 'UTC') + interval '1 day' as ends
    ), side as materialized (
        select day.*,
               $2 > begins
               and ($2 >= begins + interval '12 hours'
                    or (select count(*)
                        from (select from ledger_entries e
                              where e.account_id = $1 and e.effective_at >= $2 and e.effective_at < ends
                              order by e.effective_at  -- which only an index gives at once
                              limit 100) as few) < 100) as takes_back
        from day
    ), stretch as materialized (
        select case when takes_back then -1 else 1 end as sign, day + takes_back::int as day,
               case when takes_back then $2 else begins end as since, case when takes_back then ends else $2 end as until
        from side
    )
    select days.posted_debits + sign * own.posted_debits, days.posted_credits + sign * own.posted_credits,
           days.pending_debits + sign * own.pending_debits, days.pending_credits + sign * own.pending_credits
    from stretch
    cross join lateral (
        select coalesce(sum(d.posted_debits), 0) as posted_debits, coalesce(sum(d.posted_credits), 0) as posted_credits,
               coalesce(sum(d.pending_debits), 0) as pending_debits,
               coalesce(sum(d.pending_credits), 0) as pending_credits
        from ledger_account_days d
        where d.account_id = $1 and d.day < stretch.day
    ) as days
    cross join lateral (
        select coalesce(sum(amount) filter (where direction = 'debit' and status = 'posted'), 0) as posted_debits,
               coalesce(sum(amount) filter (where direction = 'credit' and status = 'posted'), 0) as posted_credits,
               coalesce(sum(amount) filter (where direction = 'debit' and status <> 'archived'), 0) as pending_debits,
               coalesce(sum(amount) filter (where direction = 'credit' and status <> 'archived'), 0) as pending_credits
        from (
            select e.direction, e.amount, e.status
            from ledger_entries_summed e
            where e.account_id = $1 and e.effective_at >= stretch.since and e.effective_at < stretch.until
            offset 0  -- a status is found once for each entry, not once for each sum
        ) as entry
    ) as own
$$;

-- The same for one account, with a plan that is kept for all of them.
create function ledger_sums_of_one_before(account_id uuid, moment timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language plpgsql stable rows 1 set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
    return query select s.* from ledger_sums_before($1, $2) as s;
end $$;

-- A session that plays a replica would skip ordinary triggers. Every migration that makes triggers ends by calling this:
-- from then on they fire there too.
create procedure keep_triggers_on() language plpgsql as $$
declare
    guard record;
begin
    for guard in
        select t.tgname, c.relname
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal and t.tgenabled <> 'A' and c.relnamespace = current_schema()::regnamespace
    loop
        execute format('alter table %I enable always trigger %I', guard.relname, guard.tgname);
    end loop;
end $$;

call keep_triggers_on();
