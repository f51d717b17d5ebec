-- Versions of one connection's mapping are made one after the other.
select pg_advisory_xact_lock(hashtextextended('mapping ' || $1::uuid::text, 0))
