-- Nests categories in their parents; a nesting that exists is passed over before its trigger takes the ledger's lock.
insert into ledger_account_category_nestings (parent_id, child_id)
select p.id, c.id
from unnest($2::text[], $3::text[]) as nesting (parent, child)
join ledger_account_categories p on p.ledger_id = $1 and p.external_id = nesting.parent
join ledger_account_categories c on c.ledger_id = $1 and c.external_id = nesting.child
where not exists (select from ledger_account_category_nestings n where n.parent_id = p.id and n.child_id = c.id)
order by p.external_id, c.external_id
on conflict do nothing
