-- A push operation's webhook and the answer that names it may be recorded at once: one of them sees the other.
select pg_advisory_xact_lock(hashtextextended('push operation ' || $1::uuid::text, 0))
