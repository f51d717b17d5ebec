-- Reserve a statement for one line; no row means another line is in flight.
update bank_feeds
set held_by_step = $3
where connection_id = $1
  and account_id = $2
  and (held_by_step is null or held_by_step = $3)
returning balance, newest_date
