-- The loans a batch of events is about; those that were never created are missing.
select * from loans where loan_id = any($1::text[])
