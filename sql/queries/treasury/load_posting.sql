-- One row of the outbox.
select id, place, event_id, loan_id, kind, target, body, accounts, delivered_at is not null as is_delivered
from treasury_postings where id = $1
