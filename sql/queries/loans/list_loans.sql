-- One page of loans in the order of their ids, from after the given one.
select * from loans where loan_id > $1 order by loan_id limit $2
