-- Writes a batch of bare transactions: rows from arrays, and each balance once.
with new as (
    insert into bare_transactions (external_id, effective_at, posted_at, metadata)
    select external_id, $2, now(), $3 from unnest($1::text[]) as new (external_id)
    returning id, external_id
), placed as (
    select new.id, place::integer
    from new join unnest($1::text[]) with ordinality as given (external_id, place) using (external_id)
), changed as (
    update bare_balances b
    set debits = moved.debits, credits = moved.credits, lock_version = moved.lock_version
    from unnest($12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])
        as moved (account_id, debits, credits, lock_version)
    where b.account_id = moved.account_id
)
insert into bare_entries
    (transaction_id, n, account_id, side, amount, lock_version, debits, credits, effective_at)
select placed.id, entry.n, account_id, side, amount, lock_version, debits, credits, $2
from unnest($4::integer[], $5::smallint[], $6::bigint[], $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[],
            $11::bigint[]) as entry (place, n, account_id, side, amount, lock_version, debits, credits)
join placed using (place)
