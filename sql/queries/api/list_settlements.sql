-- Settlements, newest first, one more than a page shows; every filter may be left out.
select id, ledger_id, settled_account_id, contra_account_id, status, transaction_id, allow_either_direction,
       effective_at_upper_bound, amount, direction, description, metadata, created_at, updated_at, currency,
       currency_exponent, normal_balance
from ledger_account_settlements_shown
where ($1::uuid[] is null or id = any($1::uuid[]))
  and ($2::uuid is null or settled_account_id = $2)
  and ($3::text is null or direction = $3)
  and ($4::uuid is null or transaction_id = $4)
  and ($5::uuid is null or ledger_id = $5)
  and ($6::timestamptz is null or created_at >= $6)
  and ($7::timestamptz is null or created_at < $7)
  and ($8::timestamptz is null or updated_at >= $8)
  and ($9::timestamptz is null or updated_at < $9)
  and ($10::jsonb is null or metadata @> $10::jsonb)
  and ($11::uuid is null
       or (created_at, id) < (select c.created_at, c.id from ledger_account_settlements c where c.id = $11))
order by created_at desc, id desc
limit $12
