-- Puts the named entries into a draft, as far as they are its account's, due and unsettled, and counts them in; those it
-- holds already stay. How many of the named ones it then holds.
with wanted as (
    select * from unnest($2::uuid[], $3::int[]) as named(transaction_id, n)
), due as materialized (
    select e.transaction_id, e.n, e.direction, e.amount
    from ledger_account_settlements s
    cross join wanted w
    join ledger_unsettled_entries e
        on e.transaction_id = w.transaction_id and e.n = w.n and e.account_id = s.settled_account_id
    where s.id = $1 and e.effective_at < s.effective_at_upper_bound
), claimed as (
    insert into ledger_account_settlement_entries (transaction_id, n, settlement_id)
    select transaction_id, n, $1 from due
    on conflict (transaction_id, n) do update set settlement_id = excluded.settlement_id
), counted as (
    update ledger_account_settlements
    set drafted = drafted
                  + (select coalesce(sum(case direction when 'debit' then amount else -amount end), 0) from due)
    where id = $1
), closed as (
    delete from ledger_open_entries o using due d where o.transaction_id = d.transaction_id and o.n = d.n
)
select count(*) from (
    select transaction_id, n from due
    union
    select h.transaction_id, h.n from ledger_account_settlement_entries h
    join wanted w on w.transaction_id = h.transaction_id and w.n = h.n
    where h.settlement_id = $1
) as held
