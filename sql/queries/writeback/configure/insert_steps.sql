-- What has to be created before a mapping version is ready.
insert into steps (saga_id, n, kind, purpose, reference, amount, currency, mapping_version)
select $1, p.n, p.kind, 'mapping', p.reference, 0, $2, $3
from unnest($4::smallint[], $5::text[], $6::text[]) as p (n, kind, reference)
