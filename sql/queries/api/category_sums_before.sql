-- The sums of a category's present accounts over the entries effective before a moment: those of the days before $2, and
-- the entries effective from $3 up to $4, which that is short of (1) or has too many ($5 is -1).
select days.posted_debits + $5::int * own.posted_debits as posted_debits,
       days.posted_credits + $5::int * own.posted_credits as posted_credits,
       days.pending_debits + $5::int * own.pending_debits as pending_debits,
       days.pending_credits + $5::int * own.pending_credits as pending_credits
from (
    select coalesce(sum(d.posted_debits), 0) as posted_debits, coalesce(sum(d.posted_credits), 0) as posted_credits,
           coalesce(sum(d.pending_debits), 0) as pending_debits, coalesce(sum(d.pending_credits), 0) as pending_credits
    from ledger_category_contents c
    join ledger_account_days d on d.account_id = c.account_id and d.day < $2::date
    where c.category_id = $1
) as days
cross join (
    select coalesce(sum(amount) filter (where direction = 'debit' and status = 'posted'), 0) as posted_debits,
           coalesce(sum(amount) filter (where direction = 'credit' and status = 'posted'), 0) as posted_credits,
           coalesce(sum(amount) filter (where direction = 'debit' and status <> 'archived'), 0) as pending_debits,
           coalesce(sum(amount) filter (where direction = 'credit' and status <> 'archived'), 0) as pending_credits
    from (
        select e.direction, e.amount, e.status
        from ledger_category_contents c
        join ledger_entries_summed e
            on e.account_id = c.account_id and e.effective_at >= $3::timestamptz and e.effective_at < $4::timestamptz
        where c.category_id = $1
        offset 0  -- a status is found once for each entry, not once for each sum
    ) as entry
) as own
