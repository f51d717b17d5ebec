-- How many entries the statements of some accounts would have, counted no further than a limit.
select count(*)
from (
    select from ledger_entries
    where account_id = any($1::uuid[]) and effective_at >= $2 and effective_at < $3
    limit $4
) as counted
