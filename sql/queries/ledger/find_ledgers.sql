-- Ledgers by what a person calls one: its id, else the worker's own name for it, else the name it was given.
select id, name
from (
    select id, name,
           rank() over (order by case when id::text = lower($1) then 0 when external_id = $1 then 1 else 2 end) as place
    from ledgers
    where discarded_at is null and (id::text = lower($1) or external_id = $1 or name = $1)
) as called
where place = 1
order by id
