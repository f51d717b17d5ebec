-- Some states of transactions, present or former, each with the entries it had as parallel arrays.
-- An entry's version is that of its last write: of its posting or archiving once its transaction is final.
select t.id, t.ledger_id, s.version, s.status, s.external_id, s.description, s.metadata, s.effective_at, s.posted_at,
       s.archived_reason, s.ledgerable_type, s.ledgerable_id, t.reverses_ledger_transaction_id,
       t.partially_posts_ledger_transaction_id, t.created_at, s.written_at, live.*
from unnest($1::uuid[], $2::int[]) as named (id, version)
join ledger_transactions t on t.id = named.id
cross join lateral (
    select t.version, t.status, t.external_id, t.description, t.metadata, t.effective_at, t.posted_at,
           t.archived_reason, t.ledgerable_type, t.ledgerable_id, t.first_entry, t.last_entry,
           t.updated_at as written_at
    where t.version = named.version
    union all
    select v.version, v.status, v.external_id, v.description, v.metadata, v.effective_at, v.posted_at,
           v.archived_reason, v.ledgerable_type, v.ledgerable_id, v.first_entry, v.last_entry, v.created_at
    from ledger_transaction_versions v
    where v.transaction_id = t.id and v.version = named.version and t.version <> named.version
) as s
cross join lateral (
    select array_agg(e.n order by e.n) as numbers, array_agg(e.account_id order by e.n) as accounts,
           array_agg(e.direction order by e.n) as directions, array_agg(e.amount order by e.n) as amounts,
           array_agg(e.effective_at order by e.n) as moments,
           array_agg(case s.status when 'pending' then e.lock_version else coalesce(m.lock_version, e.lock_version) end
                     order by e.n) as lock_versions,
           array_agg(a.currency order by e.n) as currencies, array_agg(a.currency_exponent order by e.n) as exponents,
           array_agg(a.normal_balance order by e.n) as sides
    from ledger_entries e
    join ledger_accounts a on a.id = e.account_id
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    where e.transaction_id = t.id and e.n between s.first_entry and s.last_entry
) as live
