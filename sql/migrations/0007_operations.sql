-- Operations: what people look for among everything, found without walking through it.

-- Whether a person has to look at an event or a saga: its dead letter that nobody replayed yet.
create index dead_letters_open_subject on dead_letters (kind, subject) where replayed_at is null;
-- An event that a person corrected, and the message that holds what they sent in its place. One that was wrong again is
-- corrected itself: every event has at most one correction.
create table event_corrections (
    message_id bigint primary key references inbox_messages,
    corrects bigint not null unique references inbox_messages,
    corrected_at timestamptz not null default now(),
    check (message_id > corrects)
);

-- The few sagas somebody gave up.
create index sagas_abandoned on sagas (id) where state = 'abandoned';

-- What an account or a category was made as, which no other row says: whoever changes its side or its currency behind the
-- ledger's back has to forge this too, and every link of the chain that seals the account's entries.
alter table ledger_accounts add column fingerprint bytea;
alter table ledger_account_categories add column fingerprint bytea;

create function ledger_fingerprint(id uuid, ledger_id uuid, normal_balance text, currency text, exponent smallint,
                                   created_at timestamptz) returns bytea
language sql stable as $$
    select sha256(convert_to(jsonb_build_array(id, ledger_id, normal_balance, currency, exponent,
                                               extract(epoch from created_at))::text, 'UTF8'))
$$;

create function ledger_take_fingerprint() returns trigger language plpgsql as $$
begin
    new.fingerprint := ledger_fingerprint(new.id, new.ledger_id, new.normal_balance, new.currency,
                                          new.currency_exponent, new.created_at);
    return new;
end $$;

create trigger take_fingerprint before insert on ledger_accounts
    for each row execute function ledger_take_fingerprint();
create trigger take_fingerprint before insert on ledger_account_categories
    for each row execute function ledger_take_fingerprint();
create trigger refuse_forgery before update of fingerprint, created_at on ledger_accounts
    for each statement execute function ledger_refuse_change();
create trigger refuse_forgery before update of fingerprint, created_at, normal_balance on ledger_account_categories
    for each statement execute function ledger_refuse_change();
create trigger refuse_removal before delete or truncate on ledger_account_categories
    for each statement execute function ledger_refuse_change();

-- The remedy for what the audit finds in days and categories: both only add up what stands elsewhere and are added up
-- anew, under the locks that posting takes. Each tells how many rows it put right.
create function ledger_recount_days(of_account uuid) returns bigint language plpgsql as $$
declare
    corrected bigint;
begin
    perform from ledger_account_balances where account_id = of_account for no key update;
    with live as (
        select (effective_at at time zone 'UTC')::date as day,
               sum(amount) filter (where direction = 'debit' and status = 'posted') as posted_debits,
               sum(amount) filter (where direction = 'credit' and status = 'posted') as posted_credits,
               sum(amount) filter (where direction = 'debit') as pending_debits,
               sum(amount) filter (where direction = 'credit') as pending_credits
        from ledger_entries_summed
        where account_id = of_account and status in ('posted', 'pending')
        group by 1
    )
    insert into ledger_account_days as d
        (account_id, day, posted_debits, posted_credits, pending_debits, pending_credits)
    select of_account, day, coalesce(posted_debits, 0), coalesce(posted_credits, 0), coalesce(pending_debits, 0),
           coalesce(pending_credits, 0)
    from live
    full join (select kept.day from ledger_account_days kept where kept.account_id = of_account) as known using (day)
    on conflict (account_id, day) do update
    set posted_debits = excluded.posted_debits,
        posted_credits = excluded.posted_credits,
        pending_debits = excluded.pending_debits,
        pending_credits = excluded.pending_credits
    where row(d.posted_debits, d.posted_credits, d.pending_debits, d.pending_credits)
          <> row(excluded.posted_debits, excluded.posted_credits, excluded.pending_debits, excluded.pending_credits);
    get diagnostics corrected = row_count;
    return corrected;
end $$;

create function ledger_recount_category(of_category uuid) returns bigint language plpgsql as $$
declare
    accounts uuid[];
    contents bigint;
    sums bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger_account_category_nestings:' || ledger_id, 0))
    from ledger_account_categories where id = of_category;
    accounts := array(
        with recursive below(id) as (
            select of_category
            union
            select n.child_id from below join ledger_account_category_nestings n on n.parent_id = below.id
        )
        select distinct m.account_id from below join ledger_account_category_members m on m.category_id = below.id
    );
    perform from ledger_account_balances
    where account_id = any(accounts)
       or account_id in (select c.account_id from ledger_category_contents c where c.category_id = of_category)
    order by account_id for no key update;

    with gone as (
        delete from ledger_category_contents where category_id = of_category and account_id <> all(accounts) returning 1
    ), entered as (
        insert into ledger_category_contents (account_id, category_id) select unnest(accounts), of_category
        on conflict do nothing
        returning 1
    )
    select (select count(*) from gone) + (select count(*) from entered) into contents;

    insert into ledger_category_balances as b
        (category_id, posted_debits, posted_credits, pending_debits, pending_credits)
    select of_category, coalesce(sum(posted_debits), 0), coalesce(sum(posted_credits), 0),
           coalesce(sum(pending_debits), 0), coalesce(sum(pending_credits), 0)
    from ledger_account_balances
    where account_id = any(accounts)
    on conflict (category_id) do update
    set posted_debits = excluded.posted_debits,
        posted_credits = excluded.posted_credits,
        pending_debits = excluded.pending_debits,
        pending_credits = excluded.pending_credits
    where row(b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits)
          <> row(excluded.posted_debits, excluded.posted_credits, excluded.pending_debits, excluded.pending_credits);
    get diagnostics sums = row_count;
    return contents + sums;
end $$;

call keep_triggers_on();
