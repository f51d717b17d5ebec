-- One loan's terms and totals.
select * from loans where loan_id = $1
