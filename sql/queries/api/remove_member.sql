-- Takes an account out of a category; no ledger transaction is touched.
delete from ledger_account_category_members where category_id = $1 and account_id = $2
