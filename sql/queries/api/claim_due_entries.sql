-- Puts every unsettled entry of an account effective before a settlement's bound into the settlement.
-- An entry that an archived settlement still holds changes over.
insert into ledger_account_settlement_entries (transaction_id, n, settlement_id)
select e.transaction_id, e.n, s.id
from ledger_account_settlements s
cross join lateral ledger_unsettled_entries(s.settled_account_id) as e
where s.id = $1 and e.effective_at < s.effective_at_upper_bound
on conflict (transaction_id, n) do update set settlement_id = excluded.settlement_id
