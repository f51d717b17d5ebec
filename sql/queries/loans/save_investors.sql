-- Writes the totals of investors that lock_investors locked.
update investors i set
    contributed = s.contributed, principal_distributed = s.principal_distributed,
    interest_earned = s.interest_earned, interest_distributed = s.interest_distributed
from unnest($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[]) as s (
    investor_id, currency, contributed, principal_distributed, interest_earned, interest_distributed
)
where i.investor_id = s.investor_id and i.currency = s.currency
