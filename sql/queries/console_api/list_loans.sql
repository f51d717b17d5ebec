-- Loans by id.
select * from loans where ($1::text is null or loan_id > $1) order by loan_id limit $2
