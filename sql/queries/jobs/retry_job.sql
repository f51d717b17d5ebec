-- Make one waiting job ready now, on a person's word.
update jobs set state = 0, run_at = clock_timestamp() where id = $1 and state = 3 returning id
