-- Makes a statement of an account out of one snapshot of its entries; no row when there is no such account.
insert into ledger_account_statements
    (ledger_account_id, lock_version, description, metadata, lower_bound, upper_bound, starting_sums, ending_sums)
select a.id, b.lock_version, $2, $3::jsonb, $4, $5,
       array[first.posted_debits, first.posted_credits, first.pending_debits, first.pending_credits],
       array[last.posted_debits, last.posted_credits, last.pending_debits, last.pending_credits]
from ledger_accounts a
join ledger_account_balances b on b.account_id = a.id
cross join lateral ledger_account_sums(a.id, null, $4) as first
cross join lateral ledger_account_sums(a.id, null, $5) as last
where a.id = $1 and a.discarded_at is null
returning id
