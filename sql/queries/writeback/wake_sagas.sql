-- Something a saga waits for may have happened: let its job look now.
select wake_jobs('advance_saga', $1::bigint[])
