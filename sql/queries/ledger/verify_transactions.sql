-- Transactions whose live entries are incomplete, of another ledger, or unbalanced in a currency: none, ever.
select t.id, format('ledger_transactions (id) = (%s)', t.id) as row,
       format('%s of %s entries, debits - credits = %s', sum(coalesce(per_currency.entries, 0)),
              t.last_entry - t.first_entry + 1,
              string_agg(concat(per_currency.difference, ' ', per_currency.currency), ', ')) as detail
from ledger_transactions t
left join (
    select e.transaction_id, a.currency, a.currency_exponent, count(*) as entries,
           bool_and(a.ledger_id is not distinct from t.ledger_id) as same_ledger,
           sum(case e.direction when 'debit' then e.amount else -e.amount end) as difference
    from ledger_transactions t
    join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
    left join ledger_accounts a on a.id = e.account_id
    where t.ledger_id = $1
    group by e.transaction_id, a.currency, a.currency_exponent
) as per_currency on per_currency.transaction_id = t.id
where t.ledger_id = $1
group by t.id
having coalesce(sum(per_currency.entries), 0) <> t.last_entry - t.first_entry + 1
    or not bool_and(per_currency.difference = 0 and per_currency.same_ledger)
order by t.id
