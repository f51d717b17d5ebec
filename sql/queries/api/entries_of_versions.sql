-- The entries some versions of transactions had, as they were then: a pending entry as it was written, a final one as
-- its posting or archiving left it.
select v.version, v.status, e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at, e.metadata,
       e.created_at, e.created_at as updated_at, null::timestamptz as discarded_at,
       coalesce(m.lock_version, e.lock_version) as lock_version,
       case when m.n is null then e.posted_debits else m.posted_debits end as posted_debits,
       case when m.n is null then e.posted_credits else m.posted_credits end as posted_credits,
       case when m.n is null then e.pending_debits else m.pending_debits end as pending_debits,
       case when m.n is null then e.pending_credits else m.pending_credits end as pending_credits,
       a.normal_balance, a.currency, a.currency_exponent
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::int[])
    as v(transaction_id, version, status, first_entry, last_entry)
join ledger_entries e on e.transaction_id = v.transaction_id and e.n between v.first_entry and v.last_entry
join ledger_accounts a on a.id = e.account_id
left join ledger_entry_transitions m
    on m.transaction_id = e.transaction_id and m.n = e.n and m.to_status = v.status
order by e.transaction_id, v.version, e.n
