-- Whether a cursor is a row of the list it was sent to; $3 is the number of an entry or a version within $2.
select case $1::text
    when 'ledgers' then exists (select from ledgers where id = $2::uuid)
    when 'ledger_accounts' then exists (select from ledger_accounts where id = $2::uuid)
    when 'ledger_account_categories' then exists (select from ledger_account_categories where id = $2::uuid)
    when 'ledger_transactions' then exists (select from ledger_transactions where id = $2::uuid)
    when 'ledger_transaction_versions' then
        exists (select from ledger_transactions where id = $2::uuid and version >= $3::int)
    when 'ledger_entries' then exists (select from ledger_entries where transaction_id = $2::uuid and n = $3::int)
    when 'ledger_account_settlements' then exists (select from ledger_account_settlements where id = $2::uuid)
    when 'ledger_account_balance_monitors' then
        exists (select from ledger_account_balance_monitors where id = $2::uuid)
    when 'events' then exists (select from ledger_events where id = $2::uuid)
    when 'bulk_requests' then exists (select from bulk_requests where id = $2::uuid)
    when 'bulk_results' then exists (select from bulk_results where id = $2::uuid)
end
