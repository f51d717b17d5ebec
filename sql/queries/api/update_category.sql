-- Changes what callers may change about a category; metadata is merged, and the keys named last are removed.
update ledger_account_categories
set name = coalesce($2, name),
    description = case when $3 then $4 else description end,
    external_id = case when $5 then $6 else external_id end,
    metadata = (metadata || $7::jsonb) - $8::text[],
    updated_at = now()
where id = $1 and discarded_at is null
returning true
