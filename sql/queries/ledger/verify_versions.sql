-- Writes to accounts that do not follow the one before, in number or in sums, or go past the balance: none, ever.
-- An entry that was ever moved was written as pending; one that never was has had its transaction's status all along.
with writes as (
    select e.account_id, 'ledger_entries' as relation, e.transaction_id, e.n, e.lock_version,
           e.posted_debits, e.posted_credits, e.pending_debits, e.pending_credits, e.direction,
           case when m.n is null and t.status = 'posted' then e.amount else 0 end as posted,
           case when m.n is null and t.status = 'archived' then 0 else e.amount end as pending
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    where t.ledger_id = $1
    union all
    select m.account_id, 'ledger_entry_transitions', m.transaction_id, m.n, m.lock_version,
           m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits, e.direction,
           case m.to_status when 'posted' then e.amount else 0 end,
           case m.to_status when 'posted' then 0 else -e.amount end
    from ledger_entry_transitions m
    join ledger_entries e on e.transaction_id = m.transaction_id and e.n = m.n
    join ledger_transactions t on t.id = m.transaction_id
    where t.ledger_id = $1
), chain as (
    select *,
           lag(lock_version, 1, 0::bigint) over step as version_before,
           posted_debits - lag(posted_debits, 1, 0::numeric) over step as posted_debits_by,
           posted_credits - lag(posted_credits, 1, 0::numeric) over step as posted_credits_by,
           pending_debits - lag(pending_debits, 1, 0::numeric) over step as pending_debits_by,
           pending_credits - lag(pending_credits, 1, 0::numeric) over step as pending_credits_by,
           max(lock_version) over (partition by account_id) as last_version
    from writes
    window step as (partition by account_id order by lock_version)
), judged as (
    select *,
           lock_version <> version_before + 1
           or row(posted_debits_by, posted_credits_by, pending_debits_by, pending_credits_by)
              <> row(case direction when 'debit' then posted else 0 end,
                     case direction when 'credit' then posted else 0 end,
                     case direction when 'debit' then pending else 0 end,
                     case direction when 'credit' then pending else 0 end) as broken
    from chain
)
select distinct on (a.id) a.id,
       case when judged.broken then format('%s (transaction_id, n) = (%s, %s)', judged.relation, judged.transaction_id,
                                           judged.n)
            else format('ledger_account_balances (account_id) = (%s)', a.id)
       end as row,
       case when not judged.broken or judged.account_id is null
                then format('version %s, written up to %s', b.lock_version, coalesce(judged.last_version, 0))
            when judged.lock_version <> judged.version_before + 1
                then format('version %s after %s of account %s', judged.lock_version, judged.version_before, a.id)
            else format('the sums of version %s of account %s do not follow', judged.lock_version, a.id)
       end as detail
from ledger_accounts a
left join ledger_account_balances b on b.account_id = a.id
left join judged on judged.account_id = a.id
where a.ledger_id = $1 and (judged.broken or b.lock_version is distinct from coalesce(judged.last_version, 0))
order by a.id, judged.broken desc nulls last, judged.lock_version
