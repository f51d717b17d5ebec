-- Statements that do not show what their accounts' entries came to at their version of the account, or that are not what
-- they were made as: none, ever.
select s.id, format('ledger_account_statements (id) = (%s)', s.id) as row,
       case when s.lock_version > b.lock_version
                then format('it shows version %s of an account at version %s', s.lock_version, b.lock_version)
            when s.starting_sums <> made.starting_sums
                then format('starting sums %s, entries %s', s.starting_sums, made.starting_sums)
            when s.ending_sums <> made.ending_sums
                then format('ending sums %s, entries %s', s.ending_sums, made.ending_sums)
            else 'it is not what it was made as' end as detail
from ledger_account_statements s
join ledger_accounts a on a.id = s.ledger_account_id
left join ledger_account_balances b on b.account_id = a.id
cross join lateral (
    select array[first.posted_debits, first.posted_credits, first.pending_debits, first.pending_credits] as starting_sums,
           array[last.posted_debits, last.posted_credits, last.pending_debits, last.pending_credits] as ending_sums
    from ledger_sums_at_version(s.ledger_account_id, s.lock_version, s.lower_bound) as first
    cross join ledger_sums_at_version(s.ledger_account_id, s.lock_version, s.upper_bound) as last
) as made
where a.ledger_id = $1
  and (s.lock_version > b.lock_version or s.starting_sums <> made.starting_sums
       or s.ending_sums <> made.ending_sums or s.fingerprint is distinct from ledger_statement_fingerprint(s))
order by s.id
