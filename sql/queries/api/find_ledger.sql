-- A ledger that was not discarded.
select id, name, description, metadata, discarded_at, created_at, updated_at
from ledgers
where id = $1 and discarded_at is null
