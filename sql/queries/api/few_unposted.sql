-- The transactions of some statuses, posted ones excepted; null when these are that many or more.
select case when count(*) < $2 then coalesce(array_agg(few.id), '{}') end
from (
    select t.id from ledger_transactions t where t.status = any($1::text[]) and t.status <> 'posted' limit $2
) as few
