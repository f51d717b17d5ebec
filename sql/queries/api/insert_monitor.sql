-- Creates a balance monitor that has not looked at its account yet.
insert into ledger_account_balance_monitors (ledger_account_id, field, operator, value, description, metadata)
values ($1, $2, $3, $4, $5, $6::jsonb)
returning id
