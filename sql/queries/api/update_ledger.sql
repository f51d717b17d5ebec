-- Changes what callers may change about a ledger; metadata is merged, and the keys named last are removed.
update ledgers
set name = coalesce($2, name),
    description = case when $3 then $4 else description end,
    metadata = (metadata || $5::jsonb) - $6::text[],
    updated_at = now()
where id = $1 and discarded_at is null
returning id, name, description, metadata, discarded_at, created_at, updated_at
