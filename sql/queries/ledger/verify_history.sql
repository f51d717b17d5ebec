-- Transactions whose former versions are not exactly those numbered from 0 or lack entries, or that changed after they
-- were final.
with numbered as (
    select v.*, lag(v.version, 1, -1) over (partition by v.transaction_id order by v.version) as version_before
    from ledger_transaction_versions v
)
select v.transaction_id as id,
       format('ledger_transaction_versions (transaction_id, version) = (%s, %s)', v.transaction_id, v.version) as row,
       case when v.version <> v.version_before + 1 then format('version %s after %s', v.version, v.version_before)
            when v.version >= t.version then format('version %s of %s', v.version, t.version - 1)
            else format('%s of %s entries', written.entries, v.last_entry - v.first_entry + 1) end as detail
from numbered v
join ledger_transactions t on t.id = v.transaction_id
cross join lateral (
    select count(*) as entries from ledger_entries e
    where e.transaction_id = v.transaction_id and e.n between v.first_entry and v.last_entry
) as written
where t.ledger_id = $1
  and (v.version <> v.version_before + 1 or v.version >= t.version
       or written.entries <> v.last_entry - v.first_entry + 1)
union all
select t.id, format('ledger_transactions (id) = (%s)', t.id),
       format('version %s follows %s kept versions', t.version, count(v.version))
from ledger_transactions t
left join ledger_transaction_versions v on v.transaction_id = t.id
where t.ledger_id = $1
group by t.id
having t.version <> count(v.version)
union all
select t.id, format('ledger_transactions (id) = (%s)', t.id),
       format('it was final in version %s and is not the same now', v.version)
from ledger_transactions t
join ledger_transaction_versions v on v.transaction_id = t.id and v.status <> 'pending'
where t.ledger_id = $1
  and row(t.status, t.external_id, t.description, t.effective_at, t.posted_at, t.archived_reason, t.ledgerable_type,
          t.ledgerable_id, t.first_entry, t.last_entry)
      is distinct from
      row(v.status, v.external_id, v.description, v.effective_at, v.posted_at, v.archived_reason, v.ledgerable_type,
          v.ledgerable_id, v.first_entry, v.last_entry)
order by 1, 2
