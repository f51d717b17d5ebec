-- Takes an idempotency key for the rest of this transaction, or says that another call holds it.
select pg_try_advisory_xact_lock($1)
