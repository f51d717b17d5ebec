-- The next version of a connection's mapping.
insert into mappings (
    connection_id, version, company_id, profile, currency, enabled, lender_kind, lender_account_id, lender_feed_id,
    feed_connection_id, borrower_account_id, expense_account_id, supplier_id, supplier_name, tax_rate_id, state, request,
    created_at
)
select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
from mappings
where connection_id = $1
returning version
