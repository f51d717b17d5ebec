-- Begins a settlement; what it takes over and by which transaction is decided by complete_settlement.
insert into ledger_account_settlements
    (ledger_id, settled_account_id, contra_account_id, status, allow_either_direction, effective_at_upper_bound,
     description, metadata)
values ($1, $2, $3, 'drafting', $4, coalesce($5, now()), $6, $7::jsonb)
returning id
