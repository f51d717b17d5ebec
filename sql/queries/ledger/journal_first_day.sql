-- The first business day of the entries of a ledger's pending and posted transactions.
select (min(e.effective_at) at time zone 'UTC')::date
from ledger_transactions t
join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
where t.ledger_id = $1 and t.status <> 'archived'
