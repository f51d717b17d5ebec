-- What the entries of a settlement come to: debits less credits.
select coalesce(sum(case e.direction when 'debit' then e.amount else -e.amount end), 0)
from ledger_account_settlement_entries c
join ledger_entries e on e.transaction_id = c.transaction_id and e.n = c.n
where c.settlement_id = $1
