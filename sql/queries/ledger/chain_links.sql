-- A ledger's chain from its first link.
select position, transaction_ids, versions, digests, hash, created_at from ledger_chain where ledger_id = $1 order by position
