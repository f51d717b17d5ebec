-- The record a compensated step wrote.
select record_id from steps where id = $1
