-- How much of the outbox is still to be sent, and for how many seconds the oldest has been waiting.
select count(*) as postings, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
from treasury_postings where delivered_at is null
