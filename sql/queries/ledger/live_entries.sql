-- The live entries of locked transactions: what posting, archiving or reversing them moves.
select e.transaction_id, e.n, e.account_id, e.direction, e.amount
from ledger_transactions t
join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
where t.id = any($1::uuid[])
order by e.transaction_id, e.n
