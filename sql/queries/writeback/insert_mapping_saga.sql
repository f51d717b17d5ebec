-- The saga that creates what one mapping version asks for.
insert into sagas (kind, company_id, connection_id, currency, effective_date, mapping_version)
values ('mapping', $1, $2, $3, $4, $5)
returning id
