-- The external id of one of these categories that loan events put accounts into, if there is one.
select external_id from ledger_account_categories where id = any($1::uuid[]) and for_loans order by id limit 1
