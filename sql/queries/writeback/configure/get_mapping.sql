-- One version of a connection's mapping.
select * from mappings where connection_id = $1 and version = $2
