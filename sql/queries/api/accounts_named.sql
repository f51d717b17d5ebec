-- The accounts of an external id in any ledger, as far as it takes to know that it is not one.
select a.id
from ledgers l
join ledger_accounts a on a.ledger_id = l.id and a.external_id = $1 and a.discarded_at is null
limit 2
