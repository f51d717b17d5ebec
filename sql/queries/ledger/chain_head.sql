-- Where a ledger's chain ends.
select position, hash from ledger_chain_heads where ledger_id = $1
