-- The pending and posted entries of an account effective in a period, in business order.
select e.transaction_id, e.n, e.direction, e.amount, (e.effective_at at time zone 'UTC')::date as effective_date,
       t.status, t.external_id, t.description
from ledger_accounts a
join ledger_entries e on e.account_id = a.id
join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
where a.ledger_id = $1 and a.external_id = $2 and e.effective_at >= $3 and e.effective_at < $4
order by e.effective_at, e.lock_version
