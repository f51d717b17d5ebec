-- Ledger transactions in the order asked for, one more than a page shows; every filter may be left out.
-- Planned for its own values, only one branch of each case is left, which an index can serve. What is looked up first
-- is looked up as an array, which can lead into an index too; $3 are the only transactions that come into question.
select t.id, t.ledger_id, t.status, t.external_id, t.description, t.effective_at, t.effective_date, t.posted_at,
       t.archived_reason, t.metadata, t.ledgerable_type, t.ledgerable_id, t.reverses_ledger_transaction_id,
       t.partially_posts_ledger_transaction_id, t.reversed_by_ledger_transaction_id, t.created_at, t.updated_at
from ledger_transactions_shown t
where ($1::uuid[] is null or t.id = any($1::uuid[]))
  and ($2::uuid is null or t.ledger_id = $2)
  and ($3::uuid[] is null or t.id = any($3::uuid[]))
  and ($24::uuid is null
       or t.id = any(array(select c.transaction_id
                           from ledger_account_settlement_entries c where c.settlement_id = $24)))
  and ($4::uuid is null
       or exists (select from ledger_entries e
                  where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry and e.account_id = $4))
  and ($5::uuid is null
       or exists (select from ledger_entries e
                  where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
                    and e.account_id = any(array(select ledger_category_accounts($5)))))
  and ($6::timestamptz is null or t.effective_at >= $6)
  and ($7::timestamptz is null or t.effective_at < $7)
  -- created_at <= posted_at <= updated_at, and all of them are one moment unless the transaction was changed since.
  and ($8::timestamptz is null
       or t.posted_at >= $8 and (t.created_at >= $8 or t.version > 0 and t.updated_at >= $8))
  and ($9::timestamptz is null or t.posted_at < $9 and t.created_at < $9)
  and ($10::timestamptz is null or t.created_at >= $10 or t.version > 0 and t.updated_at >= $10)
  and ($11::timestamptz is null or t.updated_at < $11 and t.created_at < $11)
  and ($12::numeric is null and $13::numeric is null
       or exists (select from ledger_entries e
                  where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
                    and ($12::numeric is null or e.amount >= $12) and ($13::numeric is null or e.amount < $13)))
  and ($14::text[] is null or t.status = any($14::text[]))
  and ($15::text is null
       or t.id = any(array(select named.id
                           from ledgers l
                           join ledger_transactions named
                               on named.ledger_id = l.id and named.external_id = $15 and named.status <> 'archived'
                           union all
                           select named.id
                           from ledgers l
                           join ledger_transactions named
                               on named.ledger_id = l.id and named.external_id = $15 and named.status = 'archived')))
  and ($16::uuid is null or t.reverses_ledger_transaction_id = $16)
  and ($17::uuid is null or t.partially_posts_ledger_transaction_id = $17)
  and ($18::uuid is null or t.ledgerable_id = $18)
  and ($19::text is null or t.ledgerable_type = $19)
  and ($20::jsonb is null or t.metadata @> $20::jsonb)
  and ($22::uuid is null
       or case $21::text
            when 'created_at desc' then
                (t.created_at, t.id) < (select c.created_at, c.id from ledger_transactions c where c.id = $22)
            when 'created_at asc' then
                (t.created_at, t.id) > (select c.created_at, c.id from ledger_transactions c where c.id = $22)
            when 'effective_at desc' then
                (t.effective_at, t.id) < (select c.effective_at, c.id from ledger_transactions c where c.id = $22)
            when 'effective_at asc' then
                (t.effective_at, t.id) > (select c.effective_at, c.id from ledger_transactions c where c.id = $22)
          end)
order by case $21::text when 'created_at desc' then t.created_at end desc,
         case $21::text when 'created_at asc' then t.created_at end,
         case $21::text when 'effective_at desc' then t.effective_at end desc,
         case $21::text when 'effective_at asc' then t.effective_at end,
         case when $21::text in ('created_at desc', 'effective_at desc') then t.id end desc,
         case when $21::text in ('created_at asc', 'effective_at asc') then t.id end
limit $23
