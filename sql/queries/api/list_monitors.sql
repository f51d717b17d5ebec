-- Balance monitors, newest first, one more than a page shows; every filter may be left out.
select id, ledger_account_id, field, operator, value, triggered, description, metadata, discarded_at, created_at,
       updated_at, normal_balance, currency, currency_exponent, lock_version, posted_debits, posted_credits,
       pending_debits, pending_credits
from ledger_account_balance_monitors_shown
where discarded_at is null
  and ($1::uuid[] is null or id = any($1::uuid[]))
  and ($2::uuid is null or ledger_account_id = $2)
  and ($3::jsonb is null or metadata @> $3::jsonb)
  and ($4::uuid is null
       or (created_at, id) < (select c.created_at, c.id from ledger_account_balance_monitors c where c.id = $4))
order by created_at desc, id desc
limit $5
