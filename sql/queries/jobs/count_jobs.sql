-- How many jobs of each kind are in each state; parked ones apart from those that wait for a time.
select kind,
    case
        when state = 0 then 'ready'
        when state = 1 then 'running'
        when state = 2 then 'blocked'
        when run_at = 'infinity' then 'parked'
        else 'delayed'
    end as condition,
    count(*) as jobs,
    coalesce(extract(epoch from clock_timestamp() - min(case when state = 0 then run_at else created_at end)), 0)::float8
        as oldest_seconds
from jobs
group by 1, 2 order by 1, 2
