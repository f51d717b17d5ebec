-- Puts accounts into their categories.
insert into ledger_account_category_members (category_id, account_id)
select c.id, a.id
from unnest($2::text[], $3::text[]) as membership (category, account)
join ledger_account_categories c on c.ledger_id = $1 and c.external_id = membership.category
join ledger_accounts a on a.ledger_id = $1 and a.external_id = membership.account
order by c.external_id, a.external_id
on conflict do nothing
