-- The facts a batch of events tells or needs, as far as they are known.
select f.loan_id, f.kind, f.fact_id, f.state, f.principal, f.interest, f.fees, f.overpayment, f.unapplied_cash,
       f.processing_cost
from unnest($1::text[], $2::text[], $3::text[]) as asked (loan_id, kind, fact_id)
join loan_facts f on f.loan_id = asked.loan_id and f.kind = asked.kind and f.fact_id = asked.fact_id
