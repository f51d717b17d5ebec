-- The transactions effective within bounds; null when these are that many or more.
select case when count(*) < $3 then coalesce(array_agg(few.id), '{}') end
from (
    select t.id from ledger_transactions t
    where ($1::timestamptz is null or t.effective_at >= $1) and ($2::timestamptz is null or t.effective_at < $2)
    limit $3
) as few
