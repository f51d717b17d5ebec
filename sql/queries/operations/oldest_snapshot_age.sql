-- Seconds since the oldest snapshot that anybody in this database still holds was taken; vacuum cannot pass it.
select coalesce(extract(epoch from max(clock_timestamp() - coalesce(xact_start, state_change))), 0)::float8
from pg_stat_activity
where datname = current_database() and backend_xmin is not null and pid <> pg_backend_pid()
