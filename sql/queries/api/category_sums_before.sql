-- The sums of a category's present accounts over the entries effective before a moment: those of the days before $2, and
-- the entries effective from $3 up to $4, which that is short of (1) or has too many ($5 is -1).
select coalesce(sum(part.posted_debits), 0) as posted_debits, coalesce(sum(part.posted_credits), 0) as posted_credits,
       coalesce(sum(part.pending_debits), 0) as pending_debits, coalesce(sum(part.pending_credits), 0) as pending_credits
from (
    select d.posted_debits, d.posted_credits, d.pending_debits, d.pending_credits
    from ledger_category_contents c
    join ledger_account_days d on d.account_id = c.account_id and d.day < $2::date
    where c.category_id = $1
    union all
    select case when e.direction = 'debit' and t.status = 'posted' then $5::int * e.amount else 0 end,
           case when e.direction = 'credit' and t.status = 'posted' then $5::int * e.amount else 0 end,
           case e.direction when 'debit' then $5::int * e.amount else 0 end,
           case e.direction when 'credit' then $5::int * e.amount else 0 end
    from ledger_category_contents c
    join ledger_entries e
        on e.account_id = c.account_id and e.effective_at >= $3::timestamptz and e.effective_at < $4::timestamptz
    join ledger_transactions t on t.id = e.transaction_id and e.n >= t.first_entry and t.status <> 'archived'
    where c.category_id = $1
) as part
