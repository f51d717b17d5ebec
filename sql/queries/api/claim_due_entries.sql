-- Puts every unsettled entry of an account ($2) effective before a settlement's bound into the settlement, and tells
-- what they come to: debits less credits.
-- Looked at are what was posted after the version up to which the account was settled ($3), and what is open since. What
-- is not due yet is left open for the next.
with candidates as (
    select transaction_id, n from ledger_entries where account_id = $2 and lock_version > $3
    union
    select transaction_id, n from ledger_entry_transitions
    where account_id = $2 and lock_version > $3 and to_status = 'posted'
    union
    select o.transaction_id, o.n
    from ledger_account_settlements s
    join ledger_open_entries o on o.account_id = $2 and o.effective_at < s.effective_at_upper_bound
    where s.id = $1
), unsettled as materialized (
    select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at,
           e.effective_at < s.effective_at_upper_bound as is_due
    from candidates
    join ledger_unsettled_entries e on e.transaction_id = candidates.transaction_id and e.n = candidates.n
    join ledger_account_settlements s on s.id = $1
), claimed as (
    insert into ledger_account_settlement_entries (transaction_id, n, settlement_id)
    select transaction_id, n, $1 from unsettled where is_due
    on conflict (transaction_id, n) do update set settlement_id = excluded.settlement_id
), closed as (
    delete from ledger_open_entries o
    using unsettled u
    where u.is_due and o.transaction_id = u.transaction_id and o.n = u.n
), left_open as (
    insert into ledger_open_entries (transaction_id, n, account_id, effective_at)
    select transaction_id, n, account_id, effective_at from unsettled where not is_due
    on conflict do nothing
), marked as (
    insert into ledger_settlement_marks (account_id, lock_version)
    select account_id, lock_version from ledger_account_balances where account_id = $2
    on conflict (account_id) do update set lock_version = excluded.lock_version
)
select coalesce(sum(case direction when 'debit' then amount else -amount end), 0) from unsettled where is_due
