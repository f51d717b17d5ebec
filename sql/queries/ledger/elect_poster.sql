-- Elects the process for another term, unless another one's has not ended: true when it is elected, else nothing.
insert into ledger_posters as p (ledger_id, process_id, term_ends_at)
values ($1, $2, clock_timestamp() + $3::interval)
on conflict (ledger_id) do update
set process_id = excluded.process_id, term_ends_at = excluded.term_ends_at
where p.process_id = excluded.process_id or p.term_ends_at < clock_timestamp()
returning true
