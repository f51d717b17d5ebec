-- Versions of ledger transactions, newest first, one more than a page shows; every filter may be left out.
-- What a page shows is told by the bare tables, each of which has an index in this order, and then looked up.
select v.id, v.ledger_id, v.version, v.status, v.external_id, v.description, v.effective_at, v.effective_date,
       v.posted_at, v.archived_reason, v.metadata, v.ledgerable_type, v.ledgerable_id, v.first_entry, v.last_entry,
       v.created_at, v.updated_at, v.reverses_ledger_transaction_id, v.partially_posts_ledger_transaction_id,
       v.reversed_by_ledger_transaction_id
from (
    select k.id, k.version, k.created_at
    from (
        select transaction_id as id, version, created_at, 'former' as kind from ledger_transaction_versions
        union all
        select id, version, created_at, 'first' from ledger_transactions
        union all
        select id, version, updated_at, 'changed' from ledger_transactions
    ) as k
    -- Said here and not within, where it would keep the indexes from giving the order.
    where (k.kind = 'former'
           or k.kind = 'first' and k.version = 0 and ($6::numeric is null or $6 <= 0)
           or k.kind = 'changed' and k.version > 0)
      and ($1::uuid is null or k.id = $1)
      and ($2::uuid[] is null
           or k.id = any($2::uuid[])
              and (k.id, k.version) in (select * from unnest($2::uuid[], $3::int[]) as wanted(transaction_id, version)))
      and ($4::timestamptz is null or k.created_at >= $4)
      and ($5::timestamptz is null or k.created_at < $5)
      and ($6::numeric is null or k.version >= $6)
      and ($7::numeric is null or k.version < $7)
      and ($11::uuid is null
           or k.id = any(array(select transaction_id from ledger_statement_versions($11)))
              and (k.id, k.version) in (select * from ledger_statement_versions($11)))
      and ($8::uuid is null
           or (k.created_at, k.id, k.version)
              < (select c.created_at, c.id, c.version
                 from ledger_transaction_versions_shown c where c.id = $8 and c.version = $9))
    order by k.created_at desc, k.id desc  -- as the indexes have it: versions of one moment are ties, sorted below
    fetch first $10 rows with ties
) as page
cross join lateral (
    select * from ledger_transaction_versions_shown s where s.id = page.id and s.version = page.version limit 1
) as v
order by page.created_at desc, page.id desc, page.version desc
limit $10
