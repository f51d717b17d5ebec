-- The newest version of a connection's mapping, whatever its state.
select * from mappings where connection_id = $1 order by version desc limit 1
