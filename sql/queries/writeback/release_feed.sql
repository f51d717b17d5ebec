-- The line was not written: the next one may go from the same balance.
update bank_feeds set held_by_step = null where held_by_step = $1 returning connection_id
