-- Takes entries out of a draft and its count; they are open again, however far their account was settled meanwhile.
with released as (
    delete from ledger_account_settlement_entries c
    using unnest($2::uuid[], $3::int[]) as named(transaction_id, n)
    where c.settlement_id = $1 and c.transaction_id = named.transaction_id and c.n = named.n
    returning c.transaction_id, c.n
), entries as materialized (
    select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at
    from released r
    join ledger_entries e on e.transaction_id = r.transaction_id and e.n = r.n
), counted as (
    update ledger_account_settlements
    set drafted = drafted
                  - (select coalesce(sum(case direction when 'debit' then amount else -amount end), 0) from entries)
    where id = $1
)
insert into ledger_open_entries (transaction_id, n, account_id, effective_at)
select transaction_id, n, account_id, effective_at from entries
on conflict do nothing
