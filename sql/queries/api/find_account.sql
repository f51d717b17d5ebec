-- An account that was not discarded, with its running sums.
select a.id, a.ledger_id, a.external_id, a.name, a.description, a.normal_balance, a.currency, a.currency_exponent,
       a.metadata, a.ledgerable_type, a.ledgerable_id, a.discarded_at, a.created_at, a.updated_at, b.lock_version,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
where a.id = $1 and a.discarded_at is null
