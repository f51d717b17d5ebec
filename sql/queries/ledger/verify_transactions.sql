-- Transactions whose live entries are incomplete, of another ledger, unbalanced in a currency, or not dated apart as the
-- transaction says: none, ever.
select t.id, format('ledger_transactions (id) = (%s)', t.id) as row,
       format('%s of %s entries, debits - credits = %s', coalesce(live.entries, 0), t.last_entry - t.first_entry + 1,
              live.differences)
       || case when t.dated_apart is distinct from live.dated_apart
               then format(', dated apart in %s, not %s', live.dated_apart, t.dated_apart) else '' end as detail
from ledger_transactions t
left join (
    select transaction_id, sum(entries) as entries, bool_and(difference = 0 and same_ledger) as sound,
           string_agg(concat(difference, ' ', currency), ', ') as differences,
           nullif(tstzrange(min(first_at), max(last_at), '(]'), 'empty') as dated_apart
    from (
        select e.transaction_id, a.currency, a.currency_exponent, count(*) as entries,
               bool_and(a.ledger_id is not distinct from t.ledger_id) as same_ledger,
               sum(case e.direction when 'debit' then e.amount else -e.amount end) as difference,
               min(e.effective_at) as first_at, max(e.effective_at) as last_at
        from ledger_transactions t
        join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
        left join ledger_accounts a on a.id = e.account_id
        where t.ledger_id = $1
        group by e.transaction_id, a.currency, a.currency_exponent
    ) as per_currency
    group by transaction_id
) as live on live.transaction_id = t.id
where t.ledger_id = $1
  and (coalesce(live.entries, 0) <> t.last_entry - t.first_entry + 1 or not live.sound
       or t.dated_apart is distinct from live.dated_apart)
order by t.id
