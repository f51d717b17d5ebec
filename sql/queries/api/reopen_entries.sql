-- Takes so many ($2) of their entries from an account's archived settlements: they are open again. How many were taken.
with archived as (
    select s.id
    from ledger_account_settlements s
    left join ledger_transactions t on t.id = s.transaction_id
    where s.settled_account_id = $1 and s.status <> 'posted' and coalesce(t.status, s.status) = 'archived'
), released as (
    delete from ledger_account_settlement_entries c
    where c.ctid = any(array(  -- where rows are does not change: whoever settles the account holds it
        select held.ctid
        from ledger_account_settlement_entries held
        where held.settlement_id = any(array(select id from archived))
        limit $2
    ))
    returning c.transaction_id, c.n
), reopened as (
    insert into ledger_open_entries (transaction_id, n, account_id, effective_at)
    select e.transaction_id, e.n, e.account_id, e.effective_at
    from released r
    join ledger_entries e on e.transaction_id = r.transaction_id and e.n = r.n
    on conflict do nothing
)
select count(*) from released
