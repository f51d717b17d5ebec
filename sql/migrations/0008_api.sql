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

-- Lists go newest first, and by metadata.
create index ledger_accounts_newest on ledger_accounts (created_at, id);
create index ledger_accounts_metadata on ledger_accounts using gin (metadata jsonb_path_ops);

-- The sums of an account over the entries effective within a window; without bounds, its running sums.
create function ledger_account_sums(account_id uuid, lower_bound timestamptz, upper_bound timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language sql stable as $$
    select upto.posted_debits - before.posted_debits, upto.posted_credits - before.posted_credits,
           upto.pending_debits - before.pending_debits, upto.pending_credits - before.pending_credits
    from (
        select b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits
        from ledger_account_balances b
        where b.account_id = $1 and $3 is null
        union all
        select s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
        from ledger_sums_before($1, $3) as s
        where $3 is not null
    ) as upto,
    lateral (
        select 0::numeric as posted_debits, 0::numeric as posted_credits, 0::numeric as pending_debits,
               0::numeric as pending_credits
        where $2 is null
        union all
        select s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
        from ledger_sums_before($1, least($2, $3)) as s
        where $2 is not null
    ) as before
$$;

-- The accounts in a category, directly or nested.
create function ledger_category_accounts(category_id uuid) returns setof uuid language sql stable as $$
    select c.account_id from ledger_category_contents c where c.category_id = $1
$$;

-- The sums of all accounts in a category over a window of time. One plan is kept for all of them, and those who ask
-- for no window do not have this planned with theirs.
create function ledger_category_sums_within(category_id uuid, lower_bound timestamptz, upper_bound timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language plpgsql stable rows 1 set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
    return query
    select coalesce(sum(s.posted_debits), 0), coalesce(sum(s.posted_credits), 0),
           coalesce(sum(s.pending_debits), 0), coalesce(sum(s.pending_credits), 0)
    from ledger_category_contents c
    cross join lateral ledger_account_sums(c.account_id, $2, $3) as s
    where c.category_id = $1;
end $$;

-- The sums of all accounts in a category, as ledger_account_sums.
create function ledger_category_sums(category_id uuid, lower_bound timestamptz, upper_bound timestamptz)
returns table (posted_debits numeric, posted_credits numeric, pending_debits numeric, pending_credits numeric)
language sql stable as $$
    select b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits
    from ledger_category_balances b
    where b.category_id = $1 and $2 is null and $3 is null
    union all
    select s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
    from ledger_category_sums_within($1, $2, $3) as s
    where $2 is not null or $3 is not null
$$;

-- What lists of transactions need of an index that every posting pays for is these two orders. In both, whoever posts
-- writes at the end or near it, some 1 or 2 us for each transaction; entries, of which there are more, get none.
create index ledger_transactions_newest on ledger_transactions (created_at, id);
create index ledger_transactions_effective on ledger_transactions (effective_at, id);

-- A few pages of summaries, which posting does not feel: they cut a stretch of time out of all entries, and tell where an
-- amount is not. Entries are written in the order of their creation, and mostly near that of their effective times. Of
-- two classes for a column the first that can is asked: whether it has an amount, and then whether it has one between two.
-- Versions are summed up as an expression: no other index offers to find them, from end to end.
create index ledger_entries_summaries on ledger_entries
    using brin (created_at, effective_at, amount numeric_bloom_ops, amount numeric_minmax_multi_ops,
                (lock_version + 0) int8_minmax_multi_ops)
    with (pages_per_range = 32, autosummarize = on);

-- The transactions of the entries within bounds of amounts; null when these are that many or more. By the summaries, of
-- which the planner believes that they are of no use for what comes in no order.
create function ledger_few_of_amount(lower_bound numeric, upper_bound numeric, many integer) returns uuid[]
language plpgsql stable set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
    if upper_bound = lower_bound + 1 then
        return (
            select case when count(*) < many then coalesce(array_agg(few.transaction_id), '{}') end
            from (select e.transaction_id from ledger_entries e where e.amount = lower_bound limit many) as few
        );
    end if;
    return (
        select case when count(*) < many then coalesce(array_agg(few.transaction_id), '{}') end
        from (
            select e.transaction_id
            from ledger_entries e
            where (lower_bound is null or e.amount >= lower_bound) and (upper_bound is null or e.amount < upper_bound)
            limit many
        ) as few
    );
end $$;

create index ledger_entry_transitions_times on ledger_entry_transitions
    using brin (created_at, (lock_version + 0) int8_minmax_multi_ops)
    with (pages_per_range = 32, autosummarize = on);

-- The newest transactions, that many at most and older than one of them, of the entries effective within bounds, with
-- amounts within bounds and written or changed as versions of their accounts within bounds. By the summaries again: it
-- takes as long as there are such entries, and not as long as there are newer ones.
create function ledger_newest_within(
    effective_from timestamptz, effective_to timestamptz, amount_from numeric, amount_to numeric, version_from bigint,
    version_to bigint, before uuid, many integer
) returns uuid[] language plpgsql stable set plan_cache_mode = force_custom_plan set enable_seqscan = off
    set enable_indexscan = off set enable_indexonlyscan = off as $$
begin
    return array(
        select distinct found.transaction_id
        from (
            select e.transaction_id
            from ledger_entries e
            where (effective_from is null or e.effective_at >= effective_from)
              and (effective_to is null or e.effective_at < effective_to)
              and (amount_from is null or e.amount >= amount_from) and (amount_to is null or e.amount < amount_to)
              and (version_from is null or e.lock_version + 0 >= version_from)
              and (version_to is null or e.lock_version + 0 < version_to)
            union all
            select m.transaction_id
            from ledger_entry_transitions m
            where (version_from is not null or version_to is not null)
              and (version_from is null or m.lock_version + 0 >= version_from)
              and (version_to is null or m.lock_version + 0 < version_to)
            offset 0  -- all of them first: in their order, every newer one would be looked at
        ) as found
        where before is null or found.transaction_id < before
        order by found.transaction_id desc
        limit many
    );
end $$;

-- Entries seldom carry metadata of their own or get other; those that do not are not in these.
create index ledger_entries_metadata on ledger_entries using gin (metadata jsonb_path_ops) where metadata <> '{}';
create index ledger_entries_edited on ledger_entries (edited_at) where edited_at is not null;

-- Transactions that are not posted, or were changed after their creation: the others are not in these. Versions come
-- in the order of the moments they begin.
create index ledger_transactions_unposted on ledger_transactions (created_at, id) where status <> 'posted';
create index ledger_transactions_changed on ledger_transactions (updated_at, id) where version > 0;
create index ledger_transaction_versions_newest on ledger_transaction_versions (created_at, transaction_id, version);

-- Ledger entries as callers see them: after their last write, be it their own or what became of them.
create view ledger_entries_shown as
select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at, e.metadata, e.created_at,
       greatest(e.created_at, e.edited_at, m.created_at) as updated_at,
       case m.to_status when 'discarded' then m.created_at end as discarded_at,
       case m.to_status when 'discarded' then 'pending' else t.status end as status,
       e.n between t.first_entry and t.last_entry as is_live,
       e.lock_version as written_version,
       -- From which version of the account on it counts no more; what was archived from the first never counted.
       case when m.to_status <> 'posted' then m.lock_version
            when m.n is null and t.status = 'archived' then e.lock_version end as removed_version,
       coalesce(m.lock_version, e.lock_version) as lock_version,
       case when m.n is null then e.posted_debits else m.posted_debits end as posted_debits,
       case when m.n is null then e.posted_credits else m.posted_credits end as posted_credits,
       case when m.n is null then e.pending_debits else m.pending_debits end as pending_debits,
       case when m.n is null then e.pending_credits else m.pending_credits end as pending_credits,
       a.normal_balance, a.currency, a.currency_exponent
from ledger_entries e
join ledger_transactions t on t.id = e.transaction_id
join ledger_accounts a on a.id = e.account_id
left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n;

-- Ledger transactions as callers see them, without their entries.
create view ledger_transactions_shown as
select t.*,
       (select r.id from ledger_transactions r
        where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived') as reversed_by_ledger_transaction_id
from ledger_transactions t;

-- Everything ledger transactions have been and are, one row for each version.
create view ledger_transaction_versions_shown as
select t.id, t.ledger_id, v.version, v.status, v.external_id, v.description, v.effective_at,
       (v.effective_at at time zone 'UTC')::date as effective_date, v.posted_at, v.archived_reason, v.metadata,
       v.ledgerable_type, v.ledgerable_id, v.first_entry, v.last_entry, v.created_at, v.created_at as updated_at,
       t.reverses_ledger_transaction_id, t.partially_posts_ledger_transaction_id, t.reversed_by_ledger_transaction_id
from ledger_transaction_versions v
join ledger_transactions_shown t on t.id = v.transaction_id
union all
select t.id, t.ledger_id, t.version, t.status, t.external_id, t.description, t.effective_at,
       t.effective_date, t.posted_at, t.archived_reason, t.metadata,
       t.ledgerable_type, t.ledgerable_id, t.first_entry, t.last_entry, t.updated_at, t.updated_at,
       t.reverses_ledger_transaction_id, t.partially_posts_ledger_transaction_id, t.reversed_by_ledger_transaction_id
from ledger_transactions_shown t;

-- Few transactions are related to another, or stand for a foreign object: these indexes cost the others nothing.
create index ledger_transactions_reversals on ledger_transactions (reverses_ledger_transaction_id)
    where reverses_ledger_transaction_id is not null;
create index ledger_transactions_parts on ledger_transactions (partially_posts_ledger_transaction_id)
    where partially_posts_ledger_transaction_id is not null;
create index ledger_transactions_ledgerable on ledger_transactions (ledgerable_id) where ledgerable_id is not null;
create index ledger_transactions_ledgerable_type on ledger_transactions (ledgerable_type, created_at, id)
    where ledgerable_type is not null;
