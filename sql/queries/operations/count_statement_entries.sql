-- How many entries a statement would have, counted no further than a limit.
select count(*)
from (
    select from ledger_accounts a
    join ledger_entries e on e.account_id = a.id
    where a.ledger_id = $1 and a.external_id = $2 and e.effective_at >= $3 and e.effective_at < $4
    limit $5
) as counted
