-- The line is on the statement: its balance and date are the statement's now, and the next line may go.
update bank_feeds
set balance = balance + $2, newest_date = greatest(newest_date, $3::date), held_by_step = null
where held_by_step = $1
