-- The pending and posted transactions with entries in a period, which may be open, in business order with these, signed.
-- An entry may have another date than its transaction; with a period, entries are found through the index of accounts.
select t.id, t.external_id, t.status, t.effective_date, t.description, t.metadata,
       t.reverses_ledger_transaction_id as reverses,
       exists (select from ledger_transactions r
               where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived') as reversed,
       live.accounts, live.amounts, live.days
from ledger_transactions t
cross join lateral (
    select array_agg(e.account_id order by e.n) as accounts,
           array_agg(case e.direction when 'debit' then e.amount else -e.amount end order by e.n) as amounts,
           array_agg((e.effective_at at time zone 'UTC')::date order by e.n) as days
    from ledger_entries e
    where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
      and e.effective_at >= coalesce($2::timestamptz, '-infinity')
      and e.effective_at < coalesce($3::timestamptz, 'infinity')
) as live
where t.ledger_id = $1 and t.status <> 'archived' and live.accounts is not null
  and (($2 is null and $3 is null)
       or t.id in (select e.transaction_id
                   from ledger_accounts a
                   join ledger_entries e on e.account_id = a.id
                   where a.ledger_id = $1 and e.effective_at >= coalesce($2, '-infinity')
                     and e.effective_at < coalesce($3, 'infinity')))
order by t.effective_at, t.id
