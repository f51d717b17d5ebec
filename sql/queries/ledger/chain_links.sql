-- A ledger's chain from its first link.
select position, transaction_ids, versions, digests, hash from ledger_chain where ledger_id = $1 order by position
