-- Locks the transactions a batch will change or reverse, before any balance and in one order for everybody.
select id
from ledger_transactions
where ledger_id = $1 and (external_id = any($2::text[]) and status <> 'archived' or id = any($3::uuid[]))
order by id
for no key update
