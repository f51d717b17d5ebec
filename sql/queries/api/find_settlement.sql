-- One settlement as callers see it.
select id, ledger_id, settled_account_id, contra_account_id, status, transaction_id, allow_either_direction,
       effective_at_upper_bound, amount, direction, description, metadata, created_at, updated_at, currency,
       currency_exponent, normal_balance
from ledger_account_settlements_shown
where id = $1
