-- Ledger entries in the order asked for, one more than a page shows; every filter may be left out.
-- Planned for its own values, only one branch of each case is left, which an index can serve. Without a wish, the
-- entries of an account come in the order of its versions and all others in that of their ids, newest first. $24 are
-- the only transactions that come into question. Looked at is the stretch of the order from $25 to $26, or down to the
-- transaction $27: all of it when they are null.
select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at, e.metadata, e.created_at,
       e.updated_at, e.discarded_at, e.status, e.lock_version, e.posted_debits, e.posted_credits, e.pending_debits,
       e.pending_credits, e.normal_balance, e.currency, e.currency_exponent
from ledger_entries_shown e
where ($1::uuid[] is null
       or e.transaction_id = any($1::uuid[])
          and (e.transaction_id, e.n) in (select * from unnest($1::uuid[], $2::int[]) as wanted(transaction_id, n)))
  and ($3::uuid is null or e.account_id = $3)
  and ($4::uuid is null or e.transaction_id = $4)
  and ($5::timestamptz is null or e.effective_at >= $5)
  and ($6::timestamptz is null or e.effective_at < $6)
  and ($7::timestamptz is null or e.updated_at >= $7)
  and ($8::timestamptz is null or e.updated_at < $8 and e.created_at < $8)
  and (case when $9::bigint is null then $10::boolean or e.is_live
            else e.written_version <= $9 and (e.removed_version > $9) is not false end)
  and ($11::bigint is null or e.lock_version >= $11)
  and ($12::bigint is null or e.lock_version < $12 and e.written_version < $12)
  and ($13::uuid is null or e.account_id = any(array(select ledger_category_accounts($13))))
  and ($14::text is null or e.direction = $14)
  and ($15::text[] is null or e.status = any($15::text[]))
  and ($16::numeric is null or e.amount >= $16)
  and ($17::numeric is null or e.amount < $17)
  and ($18::jsonb is null or e.metadata @> $18::jsonb and e.metadata <> '{}')
  and ($23::uuid is null
       or e.transaction_id = any(array(select c.transaction_id
                                       from ledger_account_settlement_entries c where c.settlement_id = $23))
          and (e.transaction_id, e.n) in (select c.transaction_id, c.n
                                          from ledger_account_settlement_entries c where c.settlement_id = $23))
  and ($24::uuid[] is null or e.transaction_id = any($24::uuid[]))
  and ($27::uuid is null or e.transaction_id >= $27)
  and case $19::text
        when 'created_at desc' then
            e.created_at between coalesce($26::timestamptz, '-infinity') and coalesce($25::timestamptz, 'infinity')
        when 'created_at asc' then
            e.created_at between coalesce($25::timestamptz, '-infinity') and coalesce($26::timestamptz, 'infinity')
        when 'effective_at desc' then
            e.effective_at between coalesce($26::timestamptz, '-infinity') and coalesce($25::timestamptz, 'infinity')
        when 'effective_at asc' then
            e.effective_at between coalesce($25::timestamptz, '-infinity') and coalesce($26::timestamptz, 'infinity')
        else true
      end
  -- Always true; it lets the index of effective times, which is partial, serve an order by them.
  and case when $19::text like 'effective_at %' then e.effective_at >= '-infinity' else true end
  and ($20::uuid is null
       or case $19::text
            when 'version' then
                e.written_version
                < (select c.lock_version from ledger_entries c where c.transaction_id = $20 and c.n = $21)
            when 'few' then
                e.written_version
                < (select c.lock_version from ledger_entries c where c.transaction_id = $20 and c.n = $21)
            when 'id' then (e.transaction_id, e.n) < ($20, $21::int)
            when 'created_at desc' then
                (e.created_at, e.transaction_id, e.n)
                < (select c.created_at, c.transaction_id, c.n
                   from ledger_entries c where c.transaction_id = $20 and c.n = $21)
            when 'created_at asc' then
                (e.created_at, e.transaction_id, e.n)
                > (select c.created_at, c.transaction_id, c.n
                   from ledger_entries c where c.transaction_id = $20 and c.n = $21)
            when 'effective_at desc' then
                (e.effective_at, e.transaction_id, e.n)
                < (select c.effective_at, c.transaction_id, c.n
                   from ledger_entries c where c.transaction_id = $20 and c.n = $21)
            when 'effective_at asc' then
                (e.effective_at, e.transaction_id, e.n)
                > (select c.effective_at, c.transaction_id, c.n
                   from ledger_entries c where c.transaction_id = $20 and c.n = $21)
          end)
order by case $19::text when 'version' then e.written_version end desc,
         case $19::text when 'few' then greatest(e.written_version) end desc,  -- to be sorted, not walked through
         case $19::text when 'created_at desc' then e.created_at end desc,
         case $19::text when 'created_at asc' then e.created_at end,
         case $19::text when 'effective_at desc' then e.effective_at end desc,
         case $19::text when 'effective_at asc' then e.effective_at end,
         case when $19::text in ('id', 'created_at desc', 'effective_at desc') then e.transaction_id end desc,
         case when $19::text in ('id', 'created_at desc', 'effective_at desc') then e.n end desc,
         case when $19::text in ('created_at asc', 'effective_at asc') then e.transaction_id end,
         case when $19::text in ('created_at asc', 'effective_at asc') then e.n end
limit $22
