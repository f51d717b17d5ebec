-- Statements that do not show what their accounts' entries came to at their version of the account, or that are not what
-- they were made as: none, ever. An account's entries are read once for all its statements, and added up in cells: between
-- two of their versions, and between two of their bounds.
with statements as materialized (
    select s.*, s.fingerprint is not distinct from ledger_statement_fingerprint(s) as is_as_made
    from ledger_account_statements s
    join ledger_accounts a on a.id = s.ledger_account_id
    where a.ledger_id = $1
), asked as materialized (
    select s.ledger_account_id as account_id, array_agg(distinct s.lock_version order by s.lock_version) as versions,
           array_agg(distinct bound order by bound) as bounds
    from statements s
    cross join lateral (values (s.lower_bound), (s.upper_bound)) as bounds (bound)
    group by s.ledger_account_id
), cells as materialized (
    select asked.account_id, width_bucket(change.version - 1, asked.versions) as after_versions,
           width_bucket(e.effective_at, asked.bounds) as after_bounds,
           sum(case e.direction when 'debit' then change.posted else 0 end) as posted_debits,
           sum(case e.direction when 'credit' then change.posted else 0 end) as posted_credits,
           sum(case e.direction when 'debit' then change.pending else 0 end) as pending_debits,
           sum(case e.direction when 'credit' then change.pending else 0 end) as pending_credits
    from asked
    join ledger_entries e on e.account_id = asked.account_id
    join ledger_transactions t on t.id = e.transaction_id
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    cross join lateral (
        -- What an entry added as it was written, and what its end changed about that.
        values (e.lock_version,
                case when m.n is null and t.status = 'posted' then e.amount else 0 end,
                case when m.n is null and t.status = 'archived' then 0 else e.amount end),
               (m.lock_version,
                case m.to_status when 'posted' then e.amount else 0 end,
                case m.to_status when 'posted' then 0 else -e.amount end)
    ) as change (version, posted, pending)
    where change.version is not null
    group by 1, 2, 3
), made as (
    select s.*, ending.sums as entries_in_the_end, starting.sums as entries_at_first
    from statements s
    join asked on asked.account_id = s.ledger_account_id
    cross join lateral (
        select array[coalesce(sum(posted_debits), 0), coalesce(sum(posted_credits), 0),
                     coalesce(sum(pending_debits), 0), coalesce(sum(pending_credits), 0)] as sums
        from cells c
        where c.account_id = asked.account_id
          and c.after_versions < width_bucket(s.lock_version, asked.versions)
          and c.after_bounds < width_bucket(s.lower_bound, asked.bounds)
    ) as starting
    cross join lateral (
        select array[coalesce(sum(posted_debits), 0), coalesce(sum(posted_credits), 0),
                     coalesce(sum(pending_debits), 0), coalesce(sum(pending_credits), 0)] as sums
        from cells c
        where c.account_id = asked.account_id
          and c.after_versions < width_bucket(s.lock_version, asked.versions)
          and c.after_bounds < width_bucket(s.upper_bound, asked.bounds)
    ) as ending
)
select s.id, format('ledger_account_statements (id) = (%s)', s.id) as row,
       case when s.lock_version > b.lock_version
                then format('it shows version %s of an account at version %s', s.lock_version, b.lock_version)
            when s.starting_sums <> s.entries_at_first
                then format('starting sums %s, entries %s', s.starting_sums, s.entries_at_first)
            when s.ending_sums <> s.entries_in_the_end
                then format('ending sums %s, entries %s', s.ending_sums, s.entries_in_the_end)
            else 'it is not what it was made as' end as detail
from made s
left join ledger_account_balances b on b.account_id = s.ledger_account_id
where s.lock_version > b.lock_version or s.starting_sums <> s.entries_at_first
   or s.ending_sums <> s.entries_in_the_end or not s.is_as_made
order by s.id
