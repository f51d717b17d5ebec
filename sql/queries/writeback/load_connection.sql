-- What Codat last said of a connection.
select connection_id, company_id, platform, platform_name, status, lock_date, checked_at
from connections
where connection_id = $1
