-- Takes entries out of a settlement; they are open again, however far their account was settled meanwhile.
with released as (
    delete from ledger_account_settlement_entries c
    using unnest($2::uuid[], $3::int[]) as named(transaction_id, n)
    where c.settlement_id = $1 and c.transaction_id = named.transaction_id and c.n = named.n
    returning c.transaction_id, c.n
)
insert into ledger_open_entries (transaction_id, n, account_id, effective_at)
select e.transaction_id, e.n, e.account_id, e.effective_at
from released r
join ledger_entries e on e.transaction_id = r.transaction_id and e.n = r.n
on conflict do nothing
