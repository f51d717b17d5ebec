-- The accounts with present balances within bounds, be their normal side debit or credit; null when these are that many
-- or more.
select case when count(*) < $7 then coalesce(array_agg(few.account_id), '{}') end
from (
    select b.account_id
    from ledger_account_balances b
    cross join lateral (
        values (b.pending_debits - b.pending_credits, b.posted_debits - b.posted_credits,
                b.posted_debits - b.pending_credits),
               (b.pending_credits - b.pending_debits, b.posted_credits - b.posted_debits,
                b.posted_credits - b.pending_debits)
    ) as either(pending, posted, available)
    where ($1::numeric is null or either.pending >= $1) and ($2::numeric is null or either.pending < $2)
      and ($3::numeric is null or either.posted >= $3) and ($4::numeric is null or either.posted < $4)
      and ($5::numeric is null or either.available >= $5) and ($6::numeric is null or either.available < $6)
    limit $7
) as few
