-- How many writebacks cannot go on by themselves, by what they wait for, and since how many seconds the oldest.
select waiting_for, count(*) as number, extract(epoch from now() - min(changed_at))::float8 as oldest_age
from sagas
where state = 'waiting'
group by waiting_for
