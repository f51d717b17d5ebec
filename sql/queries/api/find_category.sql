-- A category that was not discarded, with its running sums.
select c.id, c.ledger_id, c.external_id, c.name, c.description, c.normal_balance, c.currency, c.currency_exponent,
       c.metadata, c.discarded_at, c.created_at, c.updated_at,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits
from ledger_account_categories c
join ledger_category_balances b on b.category_id = c.id
where c.id = $1 and c.discarded_at is null
