-- Accounts by external id, each with the categories it is in, to see what is still missing.
select a.id, a.external_id,
       array(select c.external_id
             from ledger_account_category_members m
             join ledger_account_categories c on c.id = m.category_id
             where m.account_id = a.id and c.external_id is not null) as categories
from ledger_accounts a
where a.ledger_id = $1 and a.external_id = any($2::text[])
