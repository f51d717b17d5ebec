-- Which of these messages have taken effect already, so that replaying their jobs changes nothing.
select message_id from event_outcomes where message_id = any($1::bigint[]) and state = 'applied'
