-- The transactions of the entries within bounds of amounts; null when these are that many or more.
select case when count(*) < $3 then coalesce(array_agg(few.transaction_id), '{}') end
from (
    select e.transaction_id
    from ledger_entries e
    where ($1::numeric is null or e.amount >= $1) and ($2::numeric is null or e.amount < $2)
    limit $3
) as few
