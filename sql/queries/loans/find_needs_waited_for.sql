-- Which of these needs of loans an event is being held for: a reversal that waits for its repayment, for example.
select asked.loan_id, asked.need
from unnest($1::text[], $2::text[]) as asked (loan_id, need)
where exists (
    select from event_outcomes o
    where o.subject_kind = 'loan' and o.subject_id = asked.loan_id and o.state = 'held' and asked.need = any(o.needs)
)
