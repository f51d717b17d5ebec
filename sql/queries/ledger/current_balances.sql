-- Accounts with their running sums: all of a ledger's, those named, or those that carry all of the given metadata.
select a.id, a.external_id, a.name, a.normal_balance, a.currency, a.currency_exponent, b.lock_version,
       b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
where a.ledger_id = $1 and ($2::text[] is null or a.external_id = any($2::text[]))
  and ($3::jsonb is null or a.metadata @> $3::jsonb) and ($4::uuid is null or a.id = $4)
order by a.external_id nulls last, a.id
