-- Operations: what people look for among everything, found without walking through it.

-- Whether a person has to look at an event or a saga: its dead letter that nobody replayed yet.
create index dead_letters_open_subject on dead_letters (kind, subject) where replayed_at is null;
-- The few sagas somebody gave up.
create index sagas_abandoned on sagas (id) where state = 'abandoned';
