-- Puts the unsettled entries of an account ($2) effective before a settlement's bound into the settlement, of those posted
-- after one version of the account ($3) and up to another ($4), and tells what they come to: debits less credits. What is
-- not due yet is left open for the next.
with candidates as (
    select transaction_id, n from ledger_entries
    where account_id = $2 and lock_version > $3 and lock_version <= $4 and posted_at_once
    union all
    select transaction_id, n from ledger_entry_transitions
    where account_id = $2 and lock_version > $3 and lock_version <= $4 and to_status = 'posted'
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
    update ledger_settlement_marks set lock_version = $4 where account_id = $2
)
select coalesce(sum(case direction when 'debit' then amount else -amount end), 0) from unsettled where is_due
