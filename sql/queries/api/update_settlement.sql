-- Changes what callers may change about a settlement; metadata is merged, and the keys named last are removed.
update ledger_account_settlements
set status = coalesce($2, status),
    description = case when $3 then $4 else description end,
    metadata = (metadata || $5::jsonb) - $6::text[],
    updated_at = now()
where id = $1
