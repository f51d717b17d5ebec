-- The live entries of locked transactions as they stand: what changing or reversing them moves.
-- Version and sums are those of an entry's last write: of its posting or archiving, or else of its own.
select e.transaction_id, e.n, e.account_id, e.direction, e.amount, e.effective_at, e.metadata, e.created_at,
       coalesce(m.lock_version, e.lock_version) as lock_version,
       case when m.n is null then e.posted_debits else m.posted_debits end as posted_debits,
       case when m.n is null then e.posted_credits else m.posted_credits end as posted_credits,
       case when m.n is null then e.pending_debits else m.pending_debits end as pending_debits,
       case when m.n is null then e.pending_credits else m.pending_credits end as pending_credits,
       greatest(e.created_at, e.edited_at, m.created_at) as updated_at
from ledger_transactions t
join ledger_entries e on e.transaction_id = t.id and e.n between t.first_entry and t.last_entry
left join ledger_entry_transitions m on m.transaction_id = e.transaction_id and m.n = e.n
where t.id = any($1::uuid[])
order by e.transaction_id, e.n
