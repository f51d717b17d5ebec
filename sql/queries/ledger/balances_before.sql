-- Accounts, chosen as in current_balances, with the sums of the entries effective before a moment, past or future.
select a.id, a.external_id, a.name, a.normal_balance, a.currency, a.currency_exponent, b.lock_version,
       sums.posted_debits, sums.posted_credits, sums.pending_debits, sums.pending_credits
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
cross join lateral (
    select coalesce(sum(e.amount) filter (where e.direction = 'debit' and t.status = 'posted'), 0) as posted_debits,
           coalesce(sum(e.amount) filter (where e.direction = 'credit' and t.status = 'posted'), 0) as posted_credits,
           coalesce(sum(e.amount) filter (where e.direction = 'debit'), 0) as pending_debits,
           coalesce(sum(e.amount) filter (where e.direction = 'credit'), 0) as pending_credits
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
    where e.account_id = a.id and e.effective_at < $4
) as sums
where a.ledger_id = $1 and ($2::text[] is null or a.external_id = any($2::text[]))
  and ($3::jsonb is null or a.metadata @> $3::jsonb)
order by a.external_id nulls last, a.id
