-- Settlements that do not come to their entries or are carried out otherwise than they say, and entries that are settled
-- in no settlement, wrongly or twice: none, ever.
with of_ledger as materialized (
    select s.id
    from ledger_account_settlements s
    left join ledger_accounts a on a.id = s.settled_account_id
    where $1 in (s.ledger_id, a.ledger_id)
), named as materialized (
    select h.*
    from of_ledger
    join ledger_account_settlement_entries h on h.settlement_id = of_ledger.id
    union all
    select h.*
    from ledger_accounts a
    join ledger_entries e on e.account_id = a.id
    join ledger_account_settlement_entries h on h.transaction_id = e.transaction_id and h.n = e.n
    where a.ledger_id = $1 and h.settlement_id not in (select id from of_ledger)
), held as materialized (
    select h.settlement_id, h.transaction_id, h.n, count(*) over (partition by h.transaction_id, h.n) as times,
           e.account_id, e.direction, e.amount, e.effective_at, e.posted_at_once or m.to_status = 'posted' as is_posted,
           a.ledger_id
    from ledger_account_settlement_entries h
    left join ledger_account_settlements s on s.id = h.settlement_id
    left join ledger_entries e on e.transaction_id = h.transaction_id and e.n = h.n
    left join ledger_accounts a on a.id = e.account_id
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    where $1 in (s.ledger_id, a.ledger_id)
), sums as (
    select settlement_id, sum(case direction when 'debit' then amount else -amount end) as total
    from held
    group by settlement_id
), settlements as materialized (
    select s.id, s.settled_account_id, s.effective_at_upper_bound, s.amount, s.direction, s.drafted, s.status,
           s.transaction_id, coalesce(t.status, s.status) as shown_status, t.status as status_of_transaction,
           s.fingerprint is not distinct from ledger_settlement_fingerprint(s) as is_as_made,
           ledger_settlement_is_carried_out(s) as is_carried_out,
           coalesce(sums.total, 0) as total
    from ledger_account_settlements s
    left join ledger_transactions t on t.id = s.transaction_id
    left join sums on sums.settlement_id = s.id
    where s.id in (select id from of_ledger)
), judged as (
    select s.id,
           case when not is_as_made then 'it is not what it was made as'
                when not is_carried_out
                    then format('ledger transaction %s does not take over %s', transaction_id, amount)
                when status in ('posted', 'archived') and status_of_transaction <> status
                  or status = 'drafting' and transaction_id is not null
                    then format('it is %s, its transaction %s', status, status_of_transaction)
                when shown_status = 'drafting' and drafted <> total then format('drafted %s, entries %s', drafted, total)
                when shown_status in ('pending', 'posted')
                 and case direction when 'debit' then -amount else amount end is distinct from total
                    then format('%s %s, debits less credits of its entries %s', direction, amount, total)
           end as detail
    from settlements s
)
select id, format('ledger_account_settlements (id) = (%s)', id) as row, detail
from judged
where detail is not null
union all
select h.transaction_id,
       format('ledger_account_settlement_entries (transaction_id, n) = (%s, %s)', h.transaction_id, h.n),
       case when h.account_id is null then 'its entry is missing'
            when h.times > 1 then 'its entry is in another settlement too'
            else format('its entry is not one that settlement %s may hold', s.id) end
from held h
join settlements s on s.id = h.settlement_id
where (h.account_id is null or h.times > 1 or h.is_posted is not true
       or h.account_id <> s.settled_account_id or h.effective_at >= s.effective_at_upper_bound)
union all
select h.settlement_id, format('ledger_account_settlements (id) = (%s)', h.settlement_id),
       format('it is missing and holds entries: %s', count(*))
from held h
where h.ledger_id = $1 and not exists (select from ledger_account_settlements s where s.id = h.settlement_id)
group by h.settlement_id
union all
-- What was posted up to where an account is settled is in a settlement, settles it, or is left open for the next one.
select e.transaction_id, format('ledger_entries (transaction_id, n) = (%s, %s)', e.transaction_id, e.n),
       format('account %s was settled past version %s, this is in no settlement', e.account_id,
              coalesce(m.lock_version, e.lock_version))
from ledger_settlement_marks k
join ledger_accounts a on a.id = k.account_id and a.ledger_id = $1
join ledger_entries e on e.account_id = k.account_id
left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
where case when e.posted_at_once then e.lock_version when m.to_status = 'posted' then m.lock_version end
      <= k.lock_version
  and not exists (select from held h where h.transaction_id = e.transaction_id and h.n = e.n)
  and not exists (select from ledger_open_entries o where o.transaction_id = e.transaction_id and o.n = e.n)
  and not exists (select from ledger_account_settlements s
                  where s.transaction_id = e.transaction_id and s.settled_account_id = e.account_id)
order by 1, 2
