-- A category that was not discarded, with its sums.
select c.id, c.ledger_id, c.external_id, c.name, c.description, c.normal_balance, c.currency, c.currency_exponent,
       c.metadata, c.discarded_at, c.created_at, c.updated_at,
       s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
from ledger_account_categories c
cross join lateral ledger_category_sums(c.id, $2, $3) as s
where c.id = $1 and c.discarded_at is null
