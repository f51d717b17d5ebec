-- How many posted transactions have live entries effective before a moment, and others from then on.
select count(*)
from (
    select
    from ledger_transactions t
    join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
    where t.ledger_id = $1 and t.status = 'posted'
    group by t.id
    having min(e.effective_at) < $2 and max(e.effective_at) >= $2
) as apart
