-- A plan nothing of which was ever sent is made again with the mapping a person has set since.
delete from steps where saga_id = $1
