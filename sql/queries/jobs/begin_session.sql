-- Start pumping on this connection: extend the lease, end older sessions, hand back jobs claimed without our knowing.
select begin_worker_session($1::bigint, $2::interval, $3::bigint[])
