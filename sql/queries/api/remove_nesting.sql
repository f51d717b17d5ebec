-- Takes a category out of another.
delete from ledger_account_category_nestings where parent_id = $1 and child_id = $2
