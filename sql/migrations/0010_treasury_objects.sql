-- What the ledger's API offers on top of accounts and transactions: statements, settlements, balance monitors, events
-- and bulk requests.

-- Statements: what an account's balances were at two moments of business time, as the books stood when the statement
-- was made, that is at the account's lock_version. Sums are posted debits, posted credits, pending debits, pending
-- credits. A statement never changes.
create table ledger_account_statements (
    id uuid primary key default gen_random_uuid(),
    ledger_account_id uuid not null references ledger_accounts,
    lock_version bigint not null,
    description text,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    lower_bound timestamptz not null,
    upper_bound timestamptz not null,
    starting_sums numeric[] not null check (cardinality(starting_sums) = 4),
    ending_sums numeric[] not null check (cardinality(ending_sums) = 4),
    created_at timestamptz not null default clock_timestamp(),
    fingerprint bytea,
    check (lower_bound < upper_bound)
);

create trigger refuse_change before update or delete or truncate on ledger_account_statements
    for each statement execute function ledger_refuse_change();

-- What a statement was made as. Whoever forges one behind the ledger's back has to forge this too, and the sums that the
-- audit makes anew.
create function ledger_statement_fingerprint(s ledger_account_statements) returns bytea language sql stable as $$
    select sha256(convert_to(jsonb_build_array(
        s.id, s.ledger_account_id, s.lock_version, s.description, s.metadata, extract(epoch from s.lower_bound),
        extract(epoch from s.upper_bound), s.starting_sums, s.ending_sums, extract(epoch from s.created_at))::text, 'UTF8'))
$$;

create function ledger_take_statement_fingerprint() returns trigger language plpgsql as $$
begin
    new.fingerprint := ledger_statement_fingerprint(new);
    return new;
end $$;

create trigger take_fingerprint before insert on ledger_account_statements
    for each row execute function ledger_take_statement_fingerprint();

-- The sums of an account over the entries effective before a moment, as they were at one of the account's versions: what
-- was posted, archived or discarded later was pending then. No clock is asked.
create function ledger_sums_at_version(account_id uuid, version bigint, moment timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language sql stable rows 1 as $$
    select coalesce(sum(amount) filter (where direction = 'debit' and status = 'posted'), 0),
           coalesce(sum(amount) filter (where direction = 'credit' and status = 'posted'), 0),
           coalesce(sum(amount) filter (where direction = 'debit' and status in ('posted', 'pending')), 0),
           coalesce(sum(amount) filter (where direction = 'credit' and status in ('posted', 'pending')), 0)
    from (
        select e.direction, e.amount,
               case when m.lock_version <= $2 then m.to_status
                    when m.n is not null then 'pending'
                    else t.status end as status
        from ledger_entries e
        join ledger_transactions t on t.id = e.transaction_id
        left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
        where e.account_id = $1 and e.lock_version <= $2 and e.effective_at < $3
    ) as entry
$$;

-- The versions of transactions that a statement covers: of each transaction with an entry in it, the one that was
-- current when the statement was made. Status and entries are told by the account's versions, which no clock disturbs.
create function ledger_statement_versions(statement_id uuid)
returns table (transaction_id uuid, version integer)
language sql stable as $$
    select e.transaction_id, max(v.version)
    from ledger_account_statements s
    join ledger_entries e
      on e.account_id = s.ledger_account_id and e.lock_version <= s.lock_version
     and e.effective_at >= s.lower_bound and e.effective_at < s.upper_bound
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    join ledger_transaction_versions_shown v
      on v.id = e.transaction_id and e.n between v.first_entry and v.last_entry and v.created_at <= s.created_at
    where s.id = $1
      and (m.to_status is distinct from 'discarded' or m.lock_version > s.lock_version)
      and (v.status = 'pending' or m.n is null or m.lock_version <= s.lock_version)
    group by e.transaction_id
$$;

-- Settlements: entries of one account, and the transaction that takes their sum over to another. Without a transaction
-- the settlement's status is its own, with one it is the transaction's, whoever posts or archives that. net is what the
-- account's normal side had too much, direction that of the transaction's entry on the settled account; both are
-- unknown while the settlement is drafted. drafted is what the entries come to that a draft was given so far, debits less
-- credits, so that posting it needs no look at them.
create table ledger_account_settlements (
    id uuid primary key default gen_random_uuid(),
    ledger_id uuid not null references ledgers,
    settled_account_id uuid not null references ledger_accounts,
    contra_account_id uuid not null references ledger_accounts,
    status text not null check (status in ('drafting', 'pending', 'posted', 'archived')),
    transaction_id uuid references ledger_transactions,
    allow_either_direction boolean not null,
    effective_at_upper_bound timestamptz not null,
    drafted numeric not null default 0,
    amount numeric check (amount >= 0),
    direction text check (direction in ('debit', 'credit')),
    description text,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    fingerprint bytea,
    check (settled_account_id <> contra_account_id),
    check (status = 'archived' or (status = 'drafting') = (amount is null)),
    check ((amount is null) = (direction is null)),
    check (transaction_id is null or amount is not null)
);

create index ledger_account_settlements_newest on ledger_account_settlements (created_at, id);
create unique index ledger_account_settlements_transaction on ledger_account_settlements (transaction_id);
create index ledger_account_settlements_account on ledger_account_settlements (settled_account_id, created_at, id);
-- Those that may come to be archived and give their entries back.
create index ledger_account_settlements_revocable on ledger_account_settlements (settled_account_id)
    where status <> 'posted';

-- Which settlement an entry belongs to: one at a time. Rows of an archived settlement bind nobody, and go with the
-- account's next one. All are made out of ledger_entries and settlements, which nothing ever leaves: foreign keys would
-- only hold up settling.
create table ledger_account_settlement_entries (
    transaction_id uuid not null,
    n integer not null,
    settlement_id uuid not null,
    primary key (transaction_id, n)
);

create index ledger_account_settlement_entries_settlement on ledger_account_settlement_entries (settlement_id);

create view ledger_account_settlements_shown as
select s.id, s.ledger_id, s.settled_account_id, s.contra_account_id, coalesce(t.status, s.status) as status,
       s.transaction_id, s.allow_either_direction, s.effective_at_upper_bound, s.amount, s.direction, s.description,
       s.metadata, s.created_at, greatest(s.updated_at, case when t.status <> s.status then t.updated_at end) as updated_at,
       a.currency, a.currency_exponent, a.normal_balance
from ledger_account_settlements s
join ledger_accounts a on a.id = s.settled_account_id
left join ledger_transactions t on t.id = s.transaction_id;

-- What may still be settled: entries that were posted, at once or later, are in no settlement and do not settle their own
-- account. What a settlement brings to the other account is settled there like anything else.
create view ledger_unsettled_entries as
select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at
from ledger_entries e
where (e.posted_at_once
       or exists (select from ledger_entry_transitions m
                  where m.transaction_id = e.transaction_id and m.n = e.n and m.to_status = 'posted'))
  and not exists (
          select from ledger_account_settlement_entries c
          join ledger_account_settlements_shown s on s.id = c.settlement_id and s.status <> 'archived'
          where c.transaction_id = e.transaction_id and c.n = e.n
      )
  and not exists (select from ledger_account_settlements s
                  where s.transaction_id = e.transaction_id and s.settled_account_id = e.account_id);

-- What a settlement is made as never changes, and what it takes over is decided once: by a transaction that moves just
-- that between its two accounts, at its bound. From then on its status goes forward only, and its transaction's with it.
create function ledger_settlement_fingerprint(s ledger_account_settlements) returns bytea language sql stable as $$
    select sha256(convert_to(jsonb_build_array(
        s.id, s.ledger_id, s.settled_account_id, s.contra_account_id, s.allow_either_direction,
        extract(epoch from s.effective_at_upper_bound), extract(epoch from s.created_at))::text, 'UTF8'))
$$;

create function ledger_settlement_is_carried_out(s ledger_account_settlements) returns boolean language sql stable as $$
    select s.transaction_id is null or exists (
        select from ledger_transactions t
        where t.id = s.transaction_id and t.ledger_id = s.ledger_id and t.effective_at = s.effective_at_upper_bound
          and (select count(*) = 2 and bool_and(e.amount = s.amount and e.effective_at = t.effective_at and case e.account_id
                   when s.settled_account_id then e.direction = s.direction
                   when s.contra_account_id then e.direction <> s.direction
                   else false end)
               from ledger_entries e
               where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry)
    )
$$;

create function ledger_guard_settlement() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if row(new.status, new.drafted) is distinct from row('drafting', 0) then
            raise exception 'ledger account settlement % does not begin as an empty draft', new.id using errcode = 'LW008';
        end if;
        new.fingerprint := ledger_settlement_fingerprint(new);
        return new;
    end if;
    if ledger_settlement_fingerprint(new) is distinct from old.fingerprint
    or new.fingerprint is distinct from old.fingerprint
    or old.status <> 'drafting' and row(old.drafted, old.amount, old.direction, old.transaction_id)
                                    is distinct from row(new.drafted, new.amount, new.direction, new.transaction_id)
    or old.status <> new.status and (old.status in ('posted', 'archived') or new.status = 'drafting')
    then
        raise exception 'ledger account settlement % may not be changed once it is %', old.id, old.status
            using errcode = 'LW002';
    end if;
    if old.status <> new.status and new.transaction_id is not null then
        perform from ledger_transactions where id = new.transaction_id and status = new.status for share;
        if not found or not ledger_settlement_is_carried_out(new) then
            raise exception 'ledger transaction % does not carry out settlement %', new.transaction_id, new.id
                using errcode = 'LW008';
        end if;
    end if;
    return new;
end $$;

create trigger guard_settlement before insert or update on ledger_account_settlements
    for each row execute function ledger_guard_settlement();
create trigger refuse_removal before delete or truncate on ledger_account_settlements
    for each statement execute function ledger_refuse_change();

-- What a transaction settles with stays: its entries and its moment. A pending one may be posted or archived, by the
-- settlement or directly, and takes the settlement along.
create function ledger_refuse_unsettling() returns trigger language plpgsql as $$
declare
    settlement uuid;
begin
    select s.id into settlement from ledger_account_settlements s where s.transaction_id = new.id;
    if found then
        raise exception 'ledger transaction % carries out settlement %: its entries and effective time stay',
            new.id, settlement using errcode = 'LW008', hint = 'Archive the settlement and make another.';
    end if;
    return new;
end $$;

create trigger refuse_unsettling before update on ledger_transactions for each row
    when (old.first_entry <> new.first_entry or old.effective_at <> new.effective_at)
    execute function ledger_refuse_unsettling();

-- Entries come into drafts only, and leave drafts and archived settlements only. Whoever moves some holds the settlement.
create function ledger_check_taken_entries() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    perform from ledger_account_settlements s
    where s.id = any(array(select distinct settlement_id from moved)) order by s.id for share;
    select m.settlement_id into wrong
    from (select distinct settlement_id from moved) as m
    left join ledger_account_settlements s on s.id = m.settlement_id
    where s.status is distinct from 'drafting'
    limit 1;
    if found then
        raise exception 'ledger account settlement % is no draft and takes no entries', wrong using errcode = 'LW002';
    end if;
    return null;
end $$;

create function ledger_check_given_entries() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    wrong uuid;
begin
    perform from ledger_account_settlements s
    where s.id = any(array(select distinct settlement_id from moved)) order by s.id for share;
    select s.id into wrong
    from (select distinct settlement_id from moved) as m
    join ledger_account_settlements_shown s on s.id = m.settlement_id
    where s.status in ('pending', 'posted')
    limit 1;
    if found then
        raise exception 'ledger account settlement % keeps its entries', wrong using errcode = 'LW002';
    end if;
    return null;
end $$;

create trigger check_taken_entries after insert on ledger_account_settlement_entries
    referencing new table as moved for each statement execute function ledger_check_taken_entries();
create trigger check_retaken_entries after update on ledger_account_settlement_entries
    referencing new table as moved for each statement execute function ledger_check_taken_entries();
create trigger check_given_entries after delete on ledger_account_settlement_entries
    referencing old table as moved for each statement execute function ledger_check_given_entries();
create trigger check_regiven_entries after update on ledger_account_settlement_entries
    referencing old table as moved for each statement execute function ledger_check_given_entries();
create trigger refuse_truncate before truncate on ledger_account_settlement_entries
    for each statement execute function ledger_refuse_change();

-- How far an account was settled, so that a settlement looks at every entry once and not at the whole account again:
-- what was posted up to lock_version is in a settlement, settles one, or was left open by one for the next. Whoever takes
-- entries of an account into a settlement or out of it holds this row, and only then its balance.
create table ledger_settlement_marks (
    account_id uuid primary key references ledger_accounts,
    lock_version bigint not null
);

create table ledger_open_entries (
    transaction_id uuid not null,
    n integer not null,
    account_id uuid not null,
    effective_at timestamptz not null,
    primary key (transaction_id, n)
);

create index ledger_open_entries_due on ledger_open_entries (account_id, effective_at);

-- Events: what callers may want to hear of. snapshot is the object as it was, as the writer had it (worker/api renders
-- it). Not dispatched: no job of the queue is charged with it yet.
create table ledger_events (
    sequence bigint generated always as identity primary key,
    id uuid not null unique default gen_random_uuid(),
    resource text not null,
    event_name text not null,
    entity_id uuid not null,
    snapshot jsonb not null,
    created_at timestamptz not null default now(),
    dispatched boolean not null default false
);

create index ledger_events_time on ledger_events (created_at);
create index ledger_events_entity on ledger_events (entity_id, sequence);
create index ledger_events_undispatched on ledger_events (sequence) where not dispatched;

-- Balance monitors. triggered is whether the condition holds at the account's present balances, null until first looked.
create table ledger_account_balance_monitors (
    id uuid primary key default gen_random_uuid(),
    ledger_account_id uuid not null references ledger_accounts,
    field text not null check (field in ('available_balance_amount', 'pending_balance_amount', 'posted_balance_amount',
                                         'ledger_account_lock_version')),
    operator text not null check (operator in ('less_than', 'less_than_or_equals', 'equals', 'greater_than_or_equals',
                                               'greater_than')),
    value numeric not null,
    triggered boolean,
    description text,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    discarded_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index ledger_account_balance_monitors_newest on ledger_account_balance_monitors (created_at, id);
create index ledger_account_balance_monitors_account
    on ledger_account_balance_monitors (ledger_account_id) where discarded_at is null;

-- Monitors with what they look at.
create view ledger_account_balance_monitors_shown as
select m.id, m.ledger_account_id, m.field, m.operator, m.value, m.triggered, m.description, m.metadata, m.discarded_at,
       m.created_at, m.updated_at, a.normal_balance, a.currency, a.currency_exponent, b.lock_version,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits,
       case m.operator
           when 'less_than' then looked.at < m.value
           when 'less_than_or_equals' then looked.at <= m.value
           when 'equals' then looked.at = m.value
           when 'greater_than_or_equals' then looked.at >= m.value
           else looked.at > m.value
       end as holds
from ledger_account_balance_monitors m
join ledger_accounts a on a.id = m.ledger_account_id
join ledger_account_balances b on b.account_id = m.ledger_account_id
cross join lateral (
    select case m.field
               when 'ledger_account_lock_version' then b.lock_version
               when 'posted_balance_amount' then (b.posted_debits - b.posted_credits) * side.sign
               when 'pending_balance_amount' then (b.pending_debits - b.pending_credits) * side.sign
               -- Available is cautious: settled, less what is in flight against the account's normal side.
               else case side.sign when 1 then b.posted_debits - b.pending_credits
                                   else b.posted_credits - b.pending_debits end
           end as at
    from (select case a.normal_balance when 'debit' then 1 else -1 end as sign) as side
) as looked;

-- Looks at the monitors of some accounts, whose balances the caller has locked, and tells of each that turned.
create function ledger_observe_monitors(account_ids uuid[]) returns void language sql as $$
    with turned as (
        update ledger_account_balance_monitors m
        set triggered = s.holds
        from ledger_account_balance_monitors_shown s
        where m.ledger_account_id = any ($1) and m.discarded_at is null
          and s.id = m.id and m.triggered is distinct from s.holds
        returning s.*
    )
    insert into ledger_events (resource, event_name, entity_id, snapshot)
    select 'ledger_account_balance_monitor', case when t.holds then 'triggered' else 'resolved' end, t.id,
           to_jsonb(t) || jsonb_build_object('triggered', t.holds)
    from turned t
$$;

-- In the very statement that changes balances, whoever sends it: no turn is missed and none told twice. Creating a
-- monitor locks the balance first, so that either its first look or this trigger sees any given posting.
create function ledger_balances_changed() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    if exists (select from ledger_account_balance_monitors where discarded_at is null) then
        perform ledger_observe_monitors(array(select account_id from after));
    end if;
    return null;
end $$;

create trigger observe_monitors after update on ledger_account_balances
    referencing new table as after for each statement execute function ledger_balances_changed();

-- Bulk requests, run by a job whose subject is the sequence. Every resource is a result from the beginning, pending
-- until its effect and the outcome are committed together. params and entity are kept as they were sent and answered.
create table bulk_requests (
    sequence bigint generated always as identity primary key,
    id uuid not null unique default gen_random_uuid(),
    action_type text not null check (action_type in ('create', 'update', 'delete')),
    resource_type text not null check (resource_type in ('ledger_account', 'ledger_transaction')),
    status text not null default 'pending' check (status in ('pending', 'processing', 'completed')),
    total_resource_count integer not null,
    success_result_count integer not null default 0,
    failed_result_count integer not null default 0,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((status = 'completed') = (success_result_count + failed_result_count = total_resource_count))
);

create index bulk_requests_newest on bulk_requests (created_at, id);
create index bulk_requests_metadata on bulk_requests using gin (metadata jsonb_path_ops);

create table bulk_results (
    id uuid primary key default gen_random_uuid(),
    request_id uuid not null references bulk_requests (id),
    place integer not null,
    status text not null default 'pending' check (status in ('pending', 'successful', 'failed')),
    params json not null,
    entity_type text,
    entity_id uuid,
    entity json,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (request_id, place),
    check ((status = 'pending') = (entity is null)),
    check ((entity is null) = (entity_id is null) and (entity is null) = (entity_type is null))
);

create index bulk_results_entity on bulk_results (entity_id);

call keep_triggers_on();
