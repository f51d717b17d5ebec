-- Keeps which event a message corrects.
insert into event_corrections (message_id, corrects) values ($1, $2)
