-- Sagas of a connection that may be waiting for a statement which is free again.
select id from sagas where connection_id = $1 and state = 'waiting' and waiting_for = 'codat' order by id
