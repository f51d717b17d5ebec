-- Entries of no transaction or beyond its last, and moves of no entry or to another status than its transaction's.
select e.transaction_id as id, format('ledger_entries (transaction_id, n) = (%s, %s)', e.transaction_id, e.n) as row,
       case when t.id is null then 'its transaction is missing' else 'its transaction has no such entry' end as detail
from ledger_entries e
join ledger_accounts a on a.id = e.account_id
left join ledger_transactions t on t.id = e.transaction_id
where a.ledger_id = $1 and (t.id is null or e.n > t.last_entry)
union all
select m.transaction_id,
       format('ledger_entry_transitions (transaction_id, n) = (%s, %s)', m.transaction_id, m.n),
       case when e.n is null then 'its entry is missing'
            when e.account_id <> m.account_id then 'its entry is of another account'
            else format('it became %s, its transaction is %s', m.to_status, t.status) end
from ledger_entry_transitions m
join ledger_accounts a on a.id = m.account_id
left join ledger_entries e on e.transaction_id = m.transaction_id and e.n = m.n
left join ledger_transactions t on t.id = m.transaction_id
where a.ledger_id = $1
  and (e.account_id is distinct from m.account_id
       or m.to_status <> case when m.n < t.first_entry then 'discarded' else t.status end)
order by 1, 2
