-- Steps that were never sent are written with the mapping a person has set since; written ones keep theirs. What
-- undoes a record belongs where the record is, unless the books have refused exactly that.
update steps
set mapping_version = $2, revision = revision + 1, changed_at = now()
where saga_id = $1
  and (state = 'failed' or (state = 'planned' and compensates is null))
  and mapping_version <> $2
