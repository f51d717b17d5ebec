-- Rows that belong to no ledger, and accounts and categories that are missing where they have a balance: none, ever.
select stray.id, format('%s (%s) = (%s)', stray.relation, stray.key, stray.id) as row, stray.detail
from (
    select 'ledger_accounts' as relation, 'id' as key, a.id, a.ledger_id, 'its ledger is missing' as detail
    from ledger_accounts a
    union all
    select 'ledger_account_categories', 'id', c.id, c.ledger_id, 'its ledger is missing'
    from ledger_account_categories c
    union all
    select 'ledger_transactions', 'id', t.id, t.ledger_id, 'its ledger is missing'
    from ledger_transactions t
    union all
    select 'ledger_chain_heads', 'ledger_id', h.ledger_id, h.ledger_id, 'its ledger is missing'
    from ledger_chain_heads h
) as stray
where not exists (select from ledgers l where l.id = stray.ledger_id)
union all
select b.account_id, format('ledger_accounts (id) = (%s)', b.account_id), 'it is missing'
from ledger_account_balances b
where not exists (select from ledger_accounts a where a.id = b.account_id)
union all
select b.category_id, format('ledger_account_categories (id) = (%s)', b.category_id), 'it is missing'
from ledger_category_balances b
where not exists (select from ledger_account_categories c where c.id = b.category_id)
union all
select s.id, format('ledger_account_statements (id) = (%s)', s.id), 'its account is missing'
from ledger_account_statements s
where not exists (select from ledger_accounts a where a.id = s.ledger_account_id)
union all
select s.id, format('ledger_account_settlements (id) = (%s)', s.id), 'its ledger and its settled account are missing'
from ledger_account_settlements s
where not exists (select from ledgers l where l.id = s.ledger_id)
  and not exists (select from ledger_accounts a where a.id = s.settled_account_id)
order by 1, 2
