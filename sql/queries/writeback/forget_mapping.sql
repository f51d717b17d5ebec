-- The saga has not started after all: it takes the mapping that is current when it does.
update sagas set mapping_version = null, changed_at = now() where id = $1
