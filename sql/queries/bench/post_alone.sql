-- Posts one transaction with its balances in a single statement; nothing is checked but the uniqueness of its external id.
with entry as materialized (
    select n, account_id, side, amount
    from unnest($4::bigint[], $5::smallint[], $6::bigint[]) with ordinality as entry (account_id, side, amount, n)
), locked as materialized (
    select account_id from bare_balances where account_id = any($4) order by account_id for no key update
), new as (
    insert into bare_transactions (external_id, effective_at, posted_at, metadata)
    values ($1, $2, now(), $3)
    returning id
), changed as (
    update bare_balances b
    set debits = b.debits + case entry.side when 1 then entry.amount else 0 end,
        credits = b.credits + case entry.side when -1 then entry.amount else 0 end,
        lock_version = b.lock_version + 1
    from entry join locked using (account_id)
    where b.account_id = locked.account_id
    returning entry.n, entry.account_id, entry.side, entry.amount, b.lock_version, b.debits, b.credits
)
insert into bare_entries
    (transaction_id, n, account_id, side, amount, lock_version, debits, credits, effective_at)
select new.id, n, account_id, side, amount, lock_version, debits, credits, $2 from changed, new
returning n, lock_version, debits, credits
