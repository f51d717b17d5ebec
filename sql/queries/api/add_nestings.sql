-- Nests a category in others; where it is already, it stays.
insert into ledger_account_category_nestings (parent_id, child_id)
select parent_id, $2 from unnest($1::uuid[]) as parent(parent_id) order by parent_id
on conflict do nothing
