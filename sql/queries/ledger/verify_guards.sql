-- Triggers of the ledger's tables that are gone or do not fire for everybody: none, ever.
select format('pg_trigger (tgrelid, tgname) = (%s, %s)', guard.relation, guard.name) as row,
       case t.tgenabled when 'D' then 'the trigger is switched off'
                        when 'O' then 'the trigger does not fire in a session that plays a replica'
                        when 'R' then 'the trigger fires in no session but one that plays a replica'
                        else 'the trigger is missing' end as detail
from unnest($1::text[], $2::text[]) as guard (relation, name)
left join pg_trigger t on t.tgrelid = to_regclass(guard.relation) and t.tgname = guard.name
where t.tgenabled is distinct from 'A'
order by guard.relation, guard.name
