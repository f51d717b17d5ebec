-- Writes to accounts that do not follow the one before, in number or in sums, or go past the balance: none, ever.
-- An entry that was ever moved was written as pending; one that never was has had its transaction's status all along.
with writes as (
    select e.account_id, e.lock_version, e.posted_debits, e.posted_credits, e.pending_debits, e.pending_credits,
           e.direction,
           case when m.n is null and t.status = 'posted' then e.amount else 0 end as posted,
           case when m.n is null and t.status = 'archived' then 0 else e.amount end as pending
    from ledger_entries e
    join ledger_transactions t on t.id = e.transaction_id
    left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
    where t.ledger_id = $1
    union all
    select m.account_id, m.lock_version, m.posted_debits, m.posted_credits, m.pending_debits, m.pending_credits,
           e.direction,
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
           count(*) over (partition by account_id) as versions
    from writes
    window step as (partition by account_id order by lock_version)
)
select distinct on (a.id) a.id,
       case when chain.account_id is null then format('version 0 of %s', b.lock_version)
            else format('version %s after %s of %s', chain.lock_version, chain.version_before, b.lock_version)
       end as detail
from ledger_accounts a
left join ledger_account_balances b on b.account_id = a.id
left join chain on chain.account_id = a.id
where a.ledger_id = $1
  and (b.lock_version is distinct from coalesce(chain.versions, 0)
       or chain.lock_version <> chain.version_before + 1
       or row(chain.posted_debits_by, chain.posted_credits_by, chain.pending_debits_by, chain.pending_credits_by)
          <> row(case chain.direction when 'debit' then chain.posted else 0 end,
                 case chain.direction when 'credit' then chain.posted else 0 end,
                 case chain.direction when 'debit' then chain.pending else 0 end,
                 case chain.direction when 'credit' then chain.pending else 0 end))
order by a.id, chain.lock_version
