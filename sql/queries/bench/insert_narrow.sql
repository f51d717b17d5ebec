-- For pgbench: a disbursement in one commit, in rows and indexes as few and as narrow as a ledger without balances can have.
\set principal random(4, 5003)
\set interest random(5004, 10003)
with new as (
    insert into narrow_transactions (external_id, effective_at, posted_at, metadata)
    values (gen_random_uuid()::text, now(), now(),
            '{"type": "disbursement", "loan_id": "LN-123456", "event_id": "evt-1"}')
    returning id
)
insert into narrow_entries (transaction_id, n, account_id, side, amount, effective_at)
select new.id, entry.n, entry.account_id, entry.side, entry.amount, now()
from new, (values (1, :principal, 1, 100000), (2, :interest, 1, 1000),
                  (3, 1, -1, 100000), (4, 2, -1, 700), (5, 3, -1, 300)) as entry (n, account_id, side, amount);
