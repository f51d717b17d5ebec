-- Nobody asks Codat for this long, by the database's clock, because the replicas' clocks may differ.
update codat_gate set closed_until = greatest(closed_until, clock_timestamp() + $1)
