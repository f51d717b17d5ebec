-- Days of accounts whose sums are not those of the live entries effective on them: none, ever.
with live as (
    select e.account_id, (e.effective_at at time zone 'UTC')::date as day,
           sum(case when e.direction = 'debit' and t.status = 'posted' then e.amount else 0 end) as posted_debits,
           sum(case when e.direction = 'credit' and t.status = 'posted' then e.amount else 0 end) as posted_credits,
           sum(case e.direction when 'debit' then e.amount else 0 end) as pending_debits,
           sum(case e.direction when 'credit' then e.amount else 0 end) as pending_credits
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
    where t.ledger_id = $1
    group by 1, 2
), kept as (
    select d.*
    from ledger_account_days d
    join ledger_accounts a on a.id = d.account_id
    where a.ledger_id = $1
)
select account_id as id, format('ledger_account_days (account_id, day) = (%s, %s)', account_id, day) as row,
       format('day %s, entries %s',
              row(kept.posted_debits, kept.posted_credits, kept.pending_debits, kept.pending_credits),
              row(live.posted_debits, live.posted_credits, live.pending_debits, live.pending_credits)) as detail
from kept
full join live using (account_id, day)
where row(coalesce(kept.posted_debits, 0), coalesce(kept.posted_credits, 0), coalesce(kept.pending_debits, 0),
          coalesce(kept.pending_credits, 0))
      <> row(coalesce(live.posted_debits, 0), coalesce(live.posted_credits, 0), coalesce(live.pending_debits, 0),
             coalesce(live.pending_credits, 0))
order by account_id, day
