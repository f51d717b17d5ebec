-- Entries of no transaction, beyond its last, of another moment than any state of it or wrong about being posted at once;
-- and moves of no entry, of another moment, or to another status than its transaction's.
select e.transaction_id as id, format('ledger_entries (transaction_id, n) = (%s, %s)', e.transaction_id, e.n) as row,
       case when t.id is null then 'its transaction is missing'
            when e.n > t.last_entry then 'its transaction has no such entry'
            when e.posted_at_once <> (t.status = 'posted' and m.n is null)
                then format('it says %s to having been posted at once', e.posted_at_once)
            else 'it was not written with a state of its transaction' end as detail
from ledger_entries e
join ledger_accounts a on a.id = e.account_id
left join ledger_transactions t on t.id = e.transaction_id
left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
where a.ledger_id = $1
  and (t.id is null or e.n > t.last_entry or e.posted_at_once <> (t.status = 'posted' and m.n is null)
       or e.created_at not in (t.created_at, t.updated_at)
          and not exists (select from ledger_transaction_versions v
                          where v.transaction_id = t.id and v.created_at = e.created_at))
union all
select m.transaction_id,
       format('ledger_entry_transitions (transaction_id, n) = (%s, %s)', m.transaction_id, m.n),
       case when e.n is null then 'its entry is missing'
            when e.account_id <> m.account_id then 'its entry is of another account'
            when m.to_status = case when m.n < t.first_entry then 'discarded' else t.status end
                then 'it was not written with a state of its transaction'
            else format('it became %s, its transaction is %s', m.to_status, t.status) end
from ledger_entry_transitions m
left join ledger_accounts a on a.id = m.account_id
left join ledger_entries e on e.transaction_id = m.transaction_id and e.n = m.n
left join ledger_transactions t on t.id = m.transaction_id
where coalesce(t.ledger_id, a.ledger_id) = $1
  and (e.account_id is distinct from m.account_id
       or m.to_status <> case when m.n < t.first_entry then 'discarded' else t.status end
       or m.created_at <> t.updated_at
          and not exists (select from ledger_transaction_versions v
                          where v.transaction_id = t.id and v.created_at = m.created_at))
order by 1, 2
