-- States of a ledger's transactions that no link of its chain seals.
select id as transaction_id, version from ledger_transactions where ledger_id = $1
union all
select v.transaction_id, v.version
from ledger_transaction_versions v
join ledger_transactions t on t.id = v.transaction_id
where t.ledger_id = $1
except
select sealed.transaction_id, sealed.version
from ledger_chain
cross join lateral unnest(transaction_ids, versions) as sealed (transaction_id, version)
where ledger_id = $1
order by 1, 2
