-- The versions a saga's steps are written with, and the newest one that is ready.
select *
from mappings
where connection_id = $1
  and state = 'ready'
  and (version = any ($2::integer[])
       or version = (select max(version) from mappings where connection_id = $1 and state = 'ready'))
