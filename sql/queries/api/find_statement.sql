-- A statement, and what it needs to know of its account.
select s.id, a.ledger_id, s.ledger_account_id, a.normal_balance, a.currency, a.currency_exponent, s.lock_version,
       s.description, s.metadata, s.lower_bound, s.upper_bound, s.starting_sums, s.ending_sums, s.created_at
from ledger_account_statements s
join ledger_accounts a on a.id = s.ledger_account_id
where s.id = $1
