-- The id that a transaction got in a ledger when it was last created; an archived one's external id may be used again.
select transaction_id from treasury_postings
where target = $2 and kind = 'create' and ledger_id = $1
order by id desc limit 1
