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

call keep_triggers_on();
