-- Whether events were ever written out for a ledger at Modern Treasury.
select exists (select from treasury_postings)
