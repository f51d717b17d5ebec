-- How much of the outbox is still to be sent, and for how many seconds the oldest has been waiting. What a person has given
-- up is a dead letter and counted as one.
select count(*) as postings, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
from treasury_postings p
where delivered_at is null
  and not exists (
      select from dead_letters d where d.kind = 'deliver_posting' and d.subject = p.id and d.replayed_at is null
  )
