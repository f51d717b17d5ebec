-- Accounts that are kept for loans by external id, each with the categories it is in that are too, to see what is missing.
select a.id, a.external_id,
       array(select c.external_id
             from ledger_account_category_members m
             join ledger_account_categories c on c.id = m.category_id
             where m.account_id = a.id and c.external_id is not null and c.for_loans) as categories
from ledger_accounts a
where a.ledger_id = $1 and a.external_id = any($2::text[]) and a.for_loans
