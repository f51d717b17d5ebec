-- Give back places that have been idle, so that other processes may use them.
select count(pg_advisory_unlock(company, place))
from unnest($1::integer[], $2::integer[]) as idle (company, place)
