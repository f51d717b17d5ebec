-- The pending and posted entries of some accounts effective in a period, each account's in business order.
select e.account_id, e.transaction_id, e.n, e.direction, e.amount,
       (e.effective_at at time zone 'UTC')::date as effective_date, t.status, t.external_id, t.description
from ledger_entries e
join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
where e.account_id = any($1::uuid[]) and e.effective_at >= $2 and e.effective_at < $3
order by e.account_id, e.effective_at, e.lock_version
