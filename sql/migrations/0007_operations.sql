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
