-- A saga's plan, all of it at once, before anything of it is sent.
insert into steps (saga_id, n, kind, purpose, reference, amount, currency, mapping_version, compensates)
select $1, p.n, p.kind, p.purpose, p.reference, p.amount, $2, p.mapping_version, p.compensates
from unnest($3::smallint[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::integer[], $9::bigint[])
    as p (n, kind, purpose, reference, amount, mapping_version, compensates)
