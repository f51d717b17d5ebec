-- For pgbench: a disbursement's rows as the product writes them, in one commit; its number stands for every lock version.
\set principal random(4, 5003)
\set interest random(5004, 10003)
with drawn as materialized (
    select nextval('same_numbers') as number
), new as (
    insert into same_transactions
        (id, ledger_id, status, external_id, effective_at, posted_at, metadata, last_entry, content_digest)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '-7'
            || substr(gen_random_uuid()::text, 16, 17) || '0000')::uuid,
           md5('ledger')::uuid, 'posted', 'disbursement-' || number, now(), now(),
           '{"type": "disbursement", "loan_id": "LN-123456", "event_id": "evt-1"}', 5, decode(repeat('5a', 32), 'hex')
    from drawn
    returning id
)
insert into same_entries
    (transaction_id, account_id, effective_at, lock_version, n, posted_at_once, direction, amount,
     posted_debits, posted_credits, pending_debits, pending_credits)
select new.id, md5(entry.account)::uuid, now(), number, entry.n, true, entry.direction, entry.amount,
       number * entry.debit, number * entry.credit, number * entry.debit, number * entry.credit
from drawn, new, (values (1, :principal::text, 'debit', 100000::numeric, 100000::numeric, 0::numeric),
                         (2, :interest::text, 'debit', 1000, 1000, 0),
                         (3, '1', 'credit', 100000, 0, 100000),
                         (4, '2', 'credit', 700, 0, 700),
                         (5, '3', 'credit', 300, 0, 300)) as entry (n, account, direction, amount, debit, credit);
