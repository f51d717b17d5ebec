-- The version is not going to be ready; what it has created so far is found again by the next one.
update mappings
set state = 'failed', reason = $3
where connection_id = $1
  and version = $2
  and state = 'creating'
