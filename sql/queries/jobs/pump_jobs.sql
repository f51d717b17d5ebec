-- Acknowledge what is finished, promote what it blocked, and claim what is ready: one round trip, one commit.
select id, kind, lane, subject, attempt, run_at, created_at
from pump_jobs(
    $1::bigint, $2::int, $3::bigint[], $4::bigint[],
    $5::bigint[], $6::text[], $7::interval[], $8::text[], $9::text[],
    $10::text[], $11::int[], $12::int
)
