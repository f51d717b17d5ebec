-- The sums of an account over the entries effective before a moment: those of whole days, and the entries of the moment's
-- own day that are missing or too many. Taken back are those from the moment on when it is past noon, or when they are
-- few: entries of business days are all effective at midnight.
with day as (
    select ($2::timestamptz at time zone 'UTC')::date as day, date_trunc('day', $2, 'UTC') as begins,
           date_trunc('day', $2, 'UTC') + interval '1 day' as ends
), side as materialized (
    select day.day, $2 <> begins
               and ($2 >= begins + interval '12 hours'
                    or (select count(*)
                        from (select from ledger_entries e
                              where e.account_id = $1 and e.effective_at >= $2 and e.effective_at < ends
                              limit 100) as few) < 100) as takes_back,
           begins, ends
    from day
)
select coalesce(sum(part.posted_debits), 0) as posted_debits, coalesce(sum(part.posted_credits), 0) as posted_credits,
       coalesce(sum(part.pending_debits), 0) as pending_debits, coalesce(sum(part.pending_credits), 0) as pending_credits
from (
    select d.posted_debits, d.posted_credits, d.pending_debits, d.pending_credits
    from side
    join ledger_account_days d on d.account_id = $1 and d.day < side.day + side.takes_back::int
    union all
    select case when e.direction = 'debit' and t.status = 'posted' then signed.amount else 0 end,
           case when e.direction = 'credit' and t.status = 'posted' then signed.amount else 0 end,
           case e.direction when 'debit' then signed.amount else 0 end,
           case e.direction when 'credit' then signed.amount else 0 end
    from side
    join ledger_entries e
        on e.account_id = $1
       and e.effective_at >= case when side.takes_back then $2 else side.begins end
       and e.effective_at < case when side.takes_back then side.ends else $2 end
    join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
    cross join lateral (select case when side.takes_back then -e.amount else e.amount end as amount) as signed
) as part
