-- Puts the named entries into a settlement, as far as they are its account's, due and unsettled; those it holds already
-- stay. How many of the named ones it then holds.
with wanted as (
    select * from unnest($2::uuid[], $3::int[]) as named(transaction_id, n)
), claimed as (
    insert into ledger_account_settlement_entries (transaction_id, n, settlement_id)
    select e.transaction_id, e.n, s.id
    from ledger_account_settlements s
    cross join wanted w
    join ledger_unsettled_entries e
        on e.transaction_id = w.transaction_id and e.n = w.n and e.account_id = s.settled_account_id
    where s.id = $1 and e.effective_at < s.effective_at_upper_bound
    on conflict (transaction_id, n) do update set settlement_id = excluded.settlement_id
    returning transaction_id, n
), closed as (
    delete from ledger_open_entries o using claimed c where o.transaction_id = c.transaction_id and o.n = c.n
)
select count(*) from (
    select transaction_id, n from claimed
    union
    select h.transaction_id, h.n from ledger_account_settlement_entries h
    join wanted w on w.transaction_id = h.transaction_id and w.n = h.n
    where h.settlement_id = $1
) as held
