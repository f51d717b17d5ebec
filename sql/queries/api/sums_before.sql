-- The sums of an account over the entries effective before a moment, past or future.
select posted_debits, posted_credits, pending_debits, pending_credits from ledger_sums_of_one_before($1, $2)
