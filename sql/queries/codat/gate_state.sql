-- What the gate knows, for metrics and the console.
select
    case when closed_until > clock_timestamp() then closed_until end as closed_until,
    quota_limit,
    quota_remaining,
    quota_resets_at
from codat_gate
