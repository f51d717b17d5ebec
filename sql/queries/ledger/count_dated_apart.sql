-- How many posted transactions have live entries effective before a moment, and others from then on.
select count(*) from ledger_transactions where ledger_id = $1 and status = 'posted' and dated_apart @> $2::timestamptz
