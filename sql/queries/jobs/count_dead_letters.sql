-- How many dead letters of each class wait for a person.
select reason_class, count(*) as letters, extract(epoch from clock_timestamp() - min(buried_at))::float8 as oldest_seconds
from dead_letters where replayed_at is null
group by 1 order by 1
