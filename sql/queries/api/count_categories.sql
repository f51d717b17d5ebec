-- How many of these categories exist and were not discarded.
select count(*) from ledger_account_categories where id = any($1::uuid[]) and discarded_at is null
