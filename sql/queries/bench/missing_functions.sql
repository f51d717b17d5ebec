-- Those of the functions, each told as its name and the types of its arguments, that a statement could not call.
select signature
from unnest($1::text[]) with ordinality as wanted (signature, place)
where not exists (
    select from pg_proc
    where proname || '(' || oidvectortypes(proargtypes) || ')' = signature and pg_function_is_visible(oid)
)
order by place
