-- The line is on the statement: its balance and date are the statement's now. One that had been taken for refused no
-- longer holds it: whoever does keeps it.
update bank_feeds f
set balance = f.balance + $2, newest_date = greatest(f.newest_date, $3::date),
    held_by_step = nullif(f.held_by_step, $1::bigint)
from steps t
join sagas s on s.id = t.saga_id
join mappings m on m.connection_id = s.connection_id and m.version = t.mapping_version
where t.id = $1
  and f.connection_id = s.connection_id
  and f.account_id = m.lender_feed_id
returning f.connection_id
