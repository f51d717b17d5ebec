-- What the ledger knows under some external ids: the live transaction of each and the last archived one.
-- Runs after the balances are locked, so that it sees what any batch before us on the same accounts wrote.
select t.id, t.external_id, t.status, t.content_digest, t.effective_at,
       exists (select from ledger_transactions r
               where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived') as reversed
from ledger_transactions t
where t.ledger_id = $1 and t.external_id = any($2::text[]) and t.status <> 'archived'
union all
(select distinct on (t.external_id) t.id, t.external_id, t.status, t.content_digest, t.effective_at, false
 from ledger_transactions t
 where t.ledger_id = $1 and t.external_id = any($2::text[]) and t.status = 'archived'
 order by t.external_id, t.id desc)
