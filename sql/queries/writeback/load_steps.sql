-- The steps of one saga in the order they are written.
select * from steps where saga_id = $1 order by n
