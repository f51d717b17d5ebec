-- Accounts, chosen as in current_balances, with the sums of the entries effective before a moment, past or future.
select a.id, a.external_id, a.name, a.normal_balance, a.currency, a.currency_exponent, b.lock_version,
       sums.posted_debits, sums.posted_credits, sums.pending_debits, sums.pending_credits
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
cross join lateral ledger_sums_before(a.id, $5) as sums
where a.ledger_id = $1 and ($2::text[] is null or a.external_id = any($2::text[]))
  and ($3::jsonb is null or a.metadata @> $3::jsonb) and ($4::uuid is null or a.id = $4)
order by a.external_id nulls last, a.id
