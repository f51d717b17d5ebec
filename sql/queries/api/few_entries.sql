-- Whether the entries of an account effective within bounds are fewer than that many.
select count(*) < $4
from (
    select from ledger_entries e
    where e.account_id = $1
      and ($2::timestamptz is null or e.effective_at >= $2) and ($3::timestamptz is null or e.effective_at < $3)
      and e.effective_at is not null  -- always true, as the index demands
    limit $4
) as few
