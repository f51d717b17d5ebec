-- Which of these external ids the bare ledger has already.
select external_id from bare_transactions where external_id = any($1)
