-- Everything asked for exists: the version can be used.
update mappings
set state = 'ready', reason = null, lender_account_id = $3, lender_feed_id = $4, expense_account_id = $5,
    supplier_id = $6
where connection_id = $1
  and version = $2
  and state <> 'ready'
