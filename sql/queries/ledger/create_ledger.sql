-- Creates the worker's own ledger of a name unless it exists: any number of processes may ask at once.
insert into ledgers (external_id, name) values ($1, $1)
on conflict (external_id) do nothing
