-- A saga whose job was given up has a new one: the dead letter is answered for.
update dead_letters
set replayed_at = clock_timestamp(), replayed_job_id = $2
where kind = 'advance_saga'
  and subject = $1
  and replayed_at is null
