-- The transactions of the entries that have versions of their accounts within bounds; null when these are that many or more.
-- Only accounts that got so far are looked at.
select case when count(*) < $3 then coalesce(array_agg(few.transaction_id), '{}') end
from (
    select written.transaction_id
    from ledger_account_balances b
    cross join lateral (
        (select e.transaction_id from ledger_entries e
         where e.account_id = b.account_id
           and e.lock_version >= coalesce($1::bigint, 0) and ($2::bigint is null or e.lock_version < $2)
         order by e.lock_version
         limit $3)
        union all
        (select m.transaction_id from ledger_entry_transitions m
         where m.account_id = b.account_id
           and m.lock_version >= coalesce($1::bigint, 0) and ($2::bigint is null or m.lock_version < $2)
         order by m.lock_version
         limit $3)
    ) as written
    where b.lock_version >= coalesce($1::bigint, 0)
    limit $3
) as few
