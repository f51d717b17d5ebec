-- The newest version of a connection's mapping, whatever its state, and what its creation waits for.
select m.company_id, m.connection_id, m.version, m.state, coalesce(m.reason, s.reason) as reason, m.request,
       m.feed_connection_id, m.lender_account_id, m.lender_feed_id, m.borrower_account_id, m.expense_account_id,
       m.supplier_id, m.created_at
from mappings m
left join sagas s
    on s.kind = 'mapping'
   and s.connection_id = m.connection_id
   and s.mapping_version = m.version
where m.connection_id = $1
order by m.version desc
limit 1
