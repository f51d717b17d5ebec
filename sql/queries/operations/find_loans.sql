-- One page of loans in the order of their ids.
select loan_id from loans where $1::text is null or loan_id > $1 order by loan_id limit $2
