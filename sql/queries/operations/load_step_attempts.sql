-- The history of every step of one saga, oldest first.
select a.step_id, a.at, a.key_generation, a.action, a.outcome, a.detail
from step_attempts a join steps t on t.id = a.step_id
where t.saga_id = $1 order by a.id
