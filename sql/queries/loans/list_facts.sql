-- Everything that happened to one loan.
select loan_id, kind, fact_id, state, principal, interest, fees, overpayment, unapplied_cash, processing_cost
from loan_facts where loan_id = $1 order by kind, fact_id
