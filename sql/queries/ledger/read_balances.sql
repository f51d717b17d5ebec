-- The balances a batch will touch, as they are now and without a lock (ledger_read_balances).
select * from ledger_read_balances($1, $2::text[], $3::uuid[], $4::text[])
