-- What the ledger knows under some external ids and ids (ledger_find_transactions).
-- Runs after the balances are locked, so that it sees what any batch before us on the same accounts wrote.
select * from ledger_find_transactions($1, $2::text[], $3::uuid[])
