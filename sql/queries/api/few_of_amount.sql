-- The transactions of the entries within bounds of amounts; null when these are that many or more.
select ledger_few_of_amount($1, $2, $3)
