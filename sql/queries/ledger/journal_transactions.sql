-- The pending and posted transactions of a period, which may be open, in business order with their signed entries.
select t.id, t.external_id, t.status, t.effective_date, t.description, t.metadata,
       t.reverses_ledger_transaction_id as reverses,
       exists (select from ledger_transactions r
               where r.reverses_ledger_transaction_id = t.id and r.status <> 'archived') as reversed,
       live.accounts, live.amounts
from ledger_transactions t
cross join lateral (
    select array_agg(e.account_id order by e.n) as accounts,
           array_agg(case e.direction when 'debit' then e.amount else -e.amount end order by e.n) as amounts
    from ledger_entries e
    where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
) as live
where t.ledger_id = $1 and t.status <> 'archived'
  and ($2::date is null or t.effective_date >= $2::date) and ($3::date is null or t.effective_date <= $3::date)
order by t.effective_at, t.id
