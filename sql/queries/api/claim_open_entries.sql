-- Puts so many ($3) of the entries that were left open, of an account ($2) and effective before a settlement's bound, into
-- the settlement, and tells how many there were and what they come to: debits less credits.
with closed as (
    delete from ledger_open_entries o
    where o.ctid = any(array(  -- where rows are does not change: whoever settles the account holds it
        select due.ctid
        from ledger_account_settlements s
        join ledger_open_entries due on due.account_id = $2 and due.effective_at < s.effective_at_upper_bound
        where s.id = $1
        limit $3
    ))
    returning o.transaction_id, o.n
), unsettled as materialized (
    select e.transaction_id, e.n, e.direction, e.amount
    from closed
    join ledger_unsettled_entries e on e.transaction_id = closed.transaction_id and e.n = closed.n
), claimed as (
    insert into ledger_account_settlement_entries (transaction_id, n, settlement_id)
    select transaction_id, n, $1 from unsettled
    on conflict (transaction_id, n) do update set settlement_id = excluded.settlement_id
)
select (select count(*) from closed) as entries,
       coalesce(sum(case direction when 'debit' then amount else -amount end), 0) as total
from unsettled
