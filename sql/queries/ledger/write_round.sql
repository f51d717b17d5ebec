-- Writes what a batch decided, all in one statement, because the tables check each statement as a whole.
with new_transactions as (
    insert into ledger_transactions
        (ledger_id, id, status, external_id, description, effective_at, metadata, reverses_ledger_transaction_id,
         last_entry, content_digest, posted_at)
    select $1, id, status, external_id, description, effective_at, metadata::jsonb, reverses, last_entry,
           content_digest, case status when 'posted' then now() end
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::uuid[], $9::int[],
                $10::bytea[])
        as new (id, status, external_id, description, effective_at, metadata, reverses, last_entry, content_digest)
), new_entries as (
    insert into ledger_entries
        (transaction_id, n, account_id, direction, amount, effective_at, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select *
    from unnest($11::uuid[], $12::int[], $13::uuid[], $14::text[], $15::numeric[], $16::timestamptz[], $17::bigint[],
                $18::numeric[], $19::numeric[], $20::numeric[], $21::numeric[])
), new_transitions as (
    insert into ledger_entry_transitions
        (transaction_id, n, account_id, to_status, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select *
    from unnest($22::uuid[], $23::int[], $24::uuid[], $25::text[], $26::bigint[],
                $27::numeric[], $28::numeric[], $29::numeric[], $30::numeric[])
), changed_transactions as (
    update ledger_transactions t
    set status = changed.status,
        posted_at = case changed.status when 'posted' then now() end,
        archived_reason = changed.archived_reason,
        effective_at = changed.effective_at,
        first_entry = changed.first_entry,
        last_entry = changed.last_entry
    from unnest($31::uuid[], $32::text[], $33::text[], $34::timestamptz[], $35::int[], $36::int[])
        as changed (id, status, archived_reason, effective_at, first_entry, last_entry)
    where t.id = changed.id
)
update ledger_account_balances b
set lock_version = new.lock_version,
    posted_debits = new.posted_debits,
    posted_credits = new.posted_credits,
    pending_debits = new.pending_debits,
    pending_credits = new.pending_credits
from unnest($37::uuid[], $38::bigint[], $39::numeric[], $40::numeric[], $41::numeric[], $42::numeric[])
    as new (account_id, lock_version, posted_debits, posted_credits, pending_debits, pending_credits)
where b.account_id = new.account_id
