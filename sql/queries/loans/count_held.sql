-- How many events wait for others, and how long the oldest has.
select count(*) as events, coalesce(extract(epoch from now() - min(held_since)), 0)::double precision as oldest_seconds
from event_outcomes where state = 'held'
