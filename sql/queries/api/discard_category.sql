-- Discards a category: nothing is in it and it is in nothing any more, and another may have its external id. Accounts and
-- transactions are not touched.
with nestings as (
    delete from ledger_account_category_nestings where parent_id = $1 or child_id = $1
), members as (
    delete from ledger_account_category_members where category_id = $1
)
update ledger_account_categories set discarded_at = now(), updated_at = now(), external_id = null
where id = $1 and discarded_at is null
returning discarded_at
