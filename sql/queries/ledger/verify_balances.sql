-- Accounts whose running sums are not the sums of their entries: none, ever.
select a.id, format('ledger_account_balances (account_id) = (%s)', a.id) as row,
       format('balance %s, entries %s',
              row(b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits),
              row(sums.posted_debits, sums.posted_credits, sums.pending_debits, sums.pending_credits)) as detail
from ledger_accounts a
left join ledger_account_balances b on b.account_id = a.id
left join (
    select e.account_id,
           sum(case when e.direction = 'debit' and t.status = 'posted' then e.amount else 0 end) as posted_debits,
           sum(case when e.direction = 'credit' and t.status = 'posted' then e.amount else 0 end) as posted_credits,
           sum(case e.direction when 'debit' then e.amount else 0 end) as pending_debits,
           sum(case e.direction when 'credit' then e.amount else 0 end) as pending_credits
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
    where t.ledger_id = $1
    group by e.account_id
) as sums on sums.account_id = a.id
where a.ledger_id = $1
  and row(b.posted_debits, b.posted_credits, b.pending_debits, b.pending_credits)
      is distinct from
      row(coalesce(sums.posted_debits, 0), coalesce(sums.posted_credits, 0), coalesce(sums.pending_debits, 0),
          coalesce(sums.pending_credits, 0))
order by a.id
