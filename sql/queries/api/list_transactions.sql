-- Ledger transactions in the order asked for, one more than a page shows; every filter may be left out.
-- Planned for its own values, only one branch of each case is left, which an index can serve.
select t.id, t.ledger_id, t.status, t.external_id, t.description, t.effective_at, t.effective_date, t.posted_at,
       t.archived_reason, t.metadata, t.ledgerable_type, t.ledgerable_id, t.reverses_ledger_transaction_id,
       t.partially_posts_ledger_transaction_id, t.reversed_by_ledger_transaction_id, t.created_at, t.updated_at
from ledger_transactions_shown t
where ($1::uuid[] is null or t.id = any($1::uuid[]))
  and ($2::uuid is null or t.ledger_id = $2)
  and ($3::uuid is null
       or t.id in (select e.transaction_id from ledger_entries_shown e where e.account_id = $3 and e.is_live))
  and ($4::timestamptz is null or t.effective_at >= $4)
  and ($5::timestamptz is null or t.effective_at < $5)
  and ($6::timestamptz is null or t.posted_at >= $6)
  and ($7::timestamptz is null or t.posted_at < $7)
  and ($8::timestamptz is null or t.updated_at >= $8)
  and ($9::timestamptz is null or t.updated_at < $9)
  and ($10::numeric is null and $11::numeric is null
       or exists (select from ledger_entries e
                  where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
                    and ($10::numeric is null or e.amount >= $10) and ($11::numeric is null or e.amount < $11)))
  and ($12::text[] is null or t.status = any($12::text[]))
  and ($13::text is null or t.external_id = $13)
  and ($14::uuid is null
       or t.id in (select e.transaction_id
                   from ledger_category_accounts($14) as member(account_id)
                   join ledger_entries_shown e on e.account_id = member.account_id and e.is_live))
  and ($15::uuid is null or t.reverses_ledger_transaction_id = $15)
  and ($16::uuid is null or t.partially_posts_ledger_transaction_id = $16)
  and ($17::uuid is null or t.ledgerable_id = $17)
  and ($18::text is null or t.ledgerable_type = $18)
  and ($19::jsonb is null or t.metadata @> $19::jsonb)
  and ($21::uuid is null
       or case $20::text
            when 'created_at desc' then
                (t.created_at, t.id) < (select c.created_at, c.id from ledger_transactions c where c.id = $21)
            when 'created_at asc' then
                (t.created_at, t.id) > (select c.created_at, c.id from ledger_transactions c where c.id = $21)
            when 'effective_at desc' then
                (t.effective_at, t.id) < (select c.effective_at, c.id from ledger_transactions c where c.id = $21)
            when 'effective_at asc' then
                (t.effective_at, t.id) > (select c.effective_at, c.id from ledger_transactions c where c.id = $21)
          end)
order by case $20::text when 'created_at desc' then t.created_at end desc,
         case $20::text when 'created_at asc' then t.created_at end,
         case $20::text when 'effective_at desc' then t.effective_at end desc,
         case $20::text when 'effective_at asc' then t.effective_at end,
         case when $20::text in ('created_at desc', 'effective_at desc') then t.id end desc,
         case when $20::text in ('created_at asc', 'effective_at asc') then t.id end
limit $22
