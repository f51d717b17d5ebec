-- Accounts and categories that are not what they were made as: none, ever.
select made.id, format('%s (id) = (%s)', made.relation, made.id) as row,
       'its id, ledger, side, currency, exponent or creation are not those it was made with' as detail
from (
    select 'ledger_accounts' as relation, a.id, a.fingerprint,
           ledger_fingerprint(a.id, a.ledger_id, a.normal_balance, a.currency, a.currency_exponent, a.created_at) as now
    from ledger_accounts a
    where a.ledger_id = $1
    union all
    select 'ledger_account_categories', c.id, c.fingerprint,
           ledger_fingerprint(c.id, c.ledger_id, c.normal_balance, c.currency, c.currency_exponent, c.created_at)
    from ledger_account_categories c
    where c.ledger_id = $1
) as made
where made.fingerprint is distinct from made.now
order by 1, 2
