-- The transactions of the entries effective within bounds and written or changed since a moment; null when these are that
-- many or more.
select case when count(*) < $4 then coalesce(array_agg(few.transaction_id), '{}') end
from (
    select e.transaction_id from ledger_entries e
    where ($3::timestamptz is null or e.created_at >= $3)
      and ($1::timestamptz is null or e.effective_at >= $1) and ($2::timestamptz is null or e.effective_at < $2)
    union all
    select e.transaction_id from ledger_entries e where e.edited_at >= $3
    union all
    select m.transaction_id from ledger_entry_transitions m where m.created_at >= $3
    limit $4
) as few
