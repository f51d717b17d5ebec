-- One saga's history, oldest first: every request and what came back.
select t.n as step, a.at, a.key_generation, a.action, a.outcome, a.detail
from step_attempts a
join steps t on t.id = a.step_id
where t.saga_id = $1
order by a.id
