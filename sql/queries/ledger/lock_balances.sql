-- Locks the balances a batch will touch, in one order for everybody so that two batches never deadlock.
select a.id, a.external_id, a.normal_balance, a.currency, a.currency_exponent,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits, b.lock_version
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
where a.ledger_id = $1 and (a.external_id = any($2::text[]) and a.discarded_at is null or a.id = any($3::uuid[]))
order by b.account_id
for no key update of b
