-- The live entries of locked transactions as they stand (ledger_live_entries).
select * from ledger_live_entries($1::uuid[])
