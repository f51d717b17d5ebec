-- Transactions that carry all of the given metadata, in business order, each with its live entries as parallel arrays.
select t.id, t.external_id, t.status, t.effective_date, t.description, t.metadata,
       t.reverses_ledger_transaction_id as reverses, t.archived_reason, live.numbers, live.accounts, live.directions,
       live.amounts
from ledger_transactions t
cross join lateral (
    select array_agg(e.n order by e.n) as numbers,
           array_agg(coalesce(a.external_id, a.id::text) order by e.n) as accounts,
           array_agg(e.direction order by e.n) as directions, array_agg(e.amount order by e.n) as amounts
    from ledger_entries e
    join ledger_accounts a on a.id = e.account_id
    where e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
) as live
where t.ledger_id = $1 and t.metadata @> $2::jsonb
order by t.effective_at, t.id
