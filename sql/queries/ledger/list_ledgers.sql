-- Every ledger there is.
select id, name from ledgers order by id
