-- Puts an account into categories; where it is already, it stays. One order for everybody, so that no two deadlock.
insert into ledger_account_category_members (category_id, account_id)
select category_id, $2 from unnest($1::uuid[]) as category(category_id) order by category_id
on conflict do nothing
