-- Push operations Codat has not completed, and writes whose effect is being looked up, by platform, with oldest ages.
select connections.platform_name as platform,
       steps.state,
       count(*) as number,
       extract(epoch from now() - min(coalesce(steps.accepted_at, steps.first_sent_at)))::float8 as oldest_age
from sagas
join steps on steps.saga_id = sagas.id
join connections on connections.connection_id = sagas.connection_id
where sagas.state in ('queued', 'running', 'waiting') and steps.state in ('pending', 'unknown')
group by connections.platform_name, steps.state
