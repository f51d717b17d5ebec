-- Takes entries out of a settlement.
delete from ledger_account_settlement_entries c
using unnest($2::uuid[], $3::int[]) as named(transaction_id, n)
where c.settlement_id = $1 and c.transaction_id = named.transaction_id and c.n = named.n
