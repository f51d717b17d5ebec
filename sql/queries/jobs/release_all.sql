-- Hand back every job a leaving worker still holds, without counting the attempt, and end its lease.
select release_jobs(array[$1::bigint], false)
