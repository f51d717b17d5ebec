-- A ledger's chain from its first link; a moment that nobody but a superuser can have put there, and nobody read, is null.
select position, transaction_ids, versions, digests, hash,
       case when created_at >= '1900-01-01Z' and created_at < '9999-01-01Z' then created_at end as created_at
from ledger_chain
where ledger_id = $1
order by position
