-- Ledger accounts with their sums, newest first, one more than a page shows; every filter may be left out.
-- Balances are compared as they are shown: over the same window. $26 are the only accounts that come into question.
select a.id, a.ledger_id, a.external_id, a.name, a.description, a.normal_balance, a.currency, a.currency_exponent,
       a.metadata, a.ledgerable_type, a.ledgerable_id, a.discarded_at, a.created_at, a.updated_at, b.lock_version,
       s.posted_debits, s.posted_credits, s.pending_debits, s.pending_credits
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
cross join lateral ledger_account_sums(a.id, $13, $14) as s
cross join lateral (
    select case a.normal_balance when 'debit' then 1 else -1 end as sign
) as side
cross join lateral (
    select (s.pending_debits - s.pending_credits) * side.sign as pending,
           (s.posted_debits - s.posted_credits) * side.sign as posted,
           case side.sign when 1 then s.posted_debits - s.pending_credits
                          else s.posted_credits - s.pending_debits end as available
) as balance
where a.discarded_at is null
  and ($1::uuid[] is null or a.id = any($1::uuid[]))
  and ($2::text[] is null
       or exists (select from unnest($2::text[]) as part(of_name) where position(lower(of_name) in lower(a.name)) > 0))
  and ($3::uuid is null or a.ledger_id = $3)
  and ($4::text is null or a.external_id = $4)
  and ($5::text is null or a.currency = $5)
  and ($6::text is null or a.normal_balance = $6)
  and ($7::timestamptz is null or a.created_at >= $7)
  and ($8::timestamptz is null or a.created_at < $8)
  and ($9::timestamptz is null or a.updated_at >= $9)
  and ($10::timestamptz is null or a.updated_at < $10)
  and ($11::uuid is null or a.id = any(array(select ledger_category_accounts($11))))
  and ($12::jsonb is null or a.metadata @> $12::jsonb)
  and ($15::numeric is null or balance.pending >= $15)
  and ($16::numeric is null or balance.pending < $16)
  and ($17::numeric is null or balance.pending <> $17)
  and ($18::numeric is null or balance.posted >= $18)
  and ($19::numeric is null or balance.posted < $19)
  and ($20::numeric is null or balance.posted <> $20)
  and ($21::numeric is null or balance.available >= $21)
  and ($22::numeric is null or balance.available < $22)
  and ($23::numeric is null or balance.available <> $23)
  and ($26::uuid[] is null or a.id = any($26::uuid[]))
  and ($24::uuid is null
       or (a.created_at, a.id) < (select c.created_at, c.id from ledger_accounts c where c.id = $24))
order by a.created_at desc, a.id desc
limit $25
