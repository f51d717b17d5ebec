-- The name under which this session keeps a statement prepared.
select name from pg_prepared_statements where statement = $1
