-- How often this session has planned a prepared statement for one use alone.
select custom_plans from pg_prepared_statements where statement = $1
