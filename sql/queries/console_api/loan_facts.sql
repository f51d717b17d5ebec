-- What has happened to one loan.
select kind, fact_id, state, principal, interest, fees, overpayment
from loan_facts
where loan_id = $1
order by kind, fact_id
