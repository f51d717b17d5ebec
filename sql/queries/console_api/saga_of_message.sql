-- The saga an event brought about.
select id from sagas where message_id = $1
