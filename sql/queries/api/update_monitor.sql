-- Changes what callers may change about a monitor; metadata is merged, and the keys named last are removed.
update ledger_account_balance_monitors
set description = case when $2 then $3 else description end,
    metadata = (metadata || $4::jsonb) - $5::text[],
    updated_at = now()
where id = $1 and discarded_at is null
returning true
