-- Writes what a batch decided, all in one statement, because the tables check each statement as a whole.
with new_transactions as (
    insert into ledger_transactions
        (ledger_id, id, status, external_id, description, effective_at, metadata, archived_reason,
         reverses_ledger_transaction_id, partially_posts_ledger_transaction_id, ledgerable_type, ledgerable_id,
         last_entry, content_digest, posted_at)
    select $1, id, status, external_id, description, effective_at, metadata::jsonb, archived_reason, reverses,
           partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest,
           case status when 'posted' then now() end
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::uuid[],
                $10::uuid[], $11::text[], $12::uuid[], $13::int[], $14::bytea[])
        as new (id, status, external_id, description, effective_at, metadata, archived_reason, reverses,
                partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest)
    returning id
), new_entries as (
    insert into ledger_entries
        (transaction_id, n, account_id, direction, amount, effective_at, metadata, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select transaction_id, n, account_id, direction, amount, effective_at, metadata::jsonb, lock_version,
           posted_debits, posted_credits, pending_debits, pending_credits
    from unnest($15::uuid[], $16::int[], $17::uuid[], $18::text[], $19::numeric[], $20::timestamptz[], $21::text[],
                $22::bigint[], $23::numeric[], $24::numeric[], $25::numeric[], $26::numeric[])
        as new (transaction_id, n, account_id, direction, amount, effective_at, metadata, lock_version,
                posted_debits, posted_credits, pending_debits, pending_credits)
), new_transitions as (
    insert into ledger_entry_transitions
        (transaction_id, n, account_id, to_status, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select *
    from unnest($27::uuid[], $28::int[], $29::uuid[], $30::text[], $31::bigint[],
                $32::numeric[], $33::numeric[], $34::numeric[], $35::numeric[])
), changed_transactions as (
    update ledger_transactions t
    set status = changed.status,
        external_id = changed.external_id,
        description = changed.description,
        effective_at = changed.effective_at,
        metadata = changed.metadata::jsonb,
        posted_at = case changed.status when 'posted' then coalesce(t.posted_at, now()) end,
        archived_reason = changed.archived_reason,
        ledgerable_type = changed.ledgerable_type,
        ledgerable_id = changed.ledgerable_id,
        first_entry = changed.first_entry,
        last_entry = changed.last_entry
    from unnest($36::uuid[], $37::text[], $38::text[], $39::text[], $40::timestamptz[], $41::text[], $42::text[],
                $43::text[], $44::uuid[], $45::int[], $46::int[])
        as changed (id, status, external_id, description, effective_at, metadata, archived_reason, ledgerable_type,
                    ledgerable_id, first_entry, last_entry)
    where t.id = changed.id
    returning t.id
), new_days as (
    insert into ledger_account_days as d
        (account_id, day, posted_debits, posted_credits, pending_debits, pending_credits)
    select *
    from unnest($56::uuid[], $57::date[], $58::numeric[], $59::numeric[], $60::numeric[], $61::numeric[])
    on conflict (account_id, day) do update
    set posted_debits = d.posted_debits + excluded.posted_debits,
        posted_credits = d.posted_credits + excluded.posted_credits,
        pending_debits = d.pending_debits + excluded.pending_debits,
        pending_credits = d.pending_credits + excluded.pending_credits
), category_changes as materialized (
    select c.category_id,
           sum(new.posted_debits - b.posted_debits) as posted_debits,
           sum(new.posted_credits - b.posted_credits) as posted_credits,
           sum(new.pending_debits - b.pending_debits) as pending_debits,
           sum(new.pending_credits - b.pending_credits) as pending_credits
    from unnest($47::uuid[], $49::numeric[], $50::numeric[], $51::numeric[], $52::numeric[])
        as new (account_id, posted_debits, posted_credits, pending_debits, pending_credits)
    join ledger_category_contents c on c.account_id = new.account_id
    join ledger_account_balances b on b.account_id = new.account_id
    group by c.category_id
), locked_categories as materialized (
    -- After the accounts' balances, and in one order for everybody.
    select category_id
    from ledger_category_balances
    where category_id = any(array(select category_id from category_changes))
    order by category_id
    for no key update
), changed_categories as (
    update ledger_category_balances b
    set posted_debits = b.posted_debits + change.posted_debits,
        posted_credits = b.posted_credits + change.posted_credits,
        pending_debits = b.pending_debits + change.pending_debits,
        pending_credits = b.pending_credits + change.pending_credits
    from locked_categories locked
    join category_changes change using (category_id)
    where b.category_id = locked.category_id
    returning b.category_id
), head as (
    -- Reads the others' results, and so locks the chain after whatever they had to wait for.
    insert into ledger_chain_heads (ledger_id, position, hash)
    select $1, 1, sha256(decode(repeat('00', 32), 'hex') || $55::bytea)
    from (select count(*) from new_transactions) as added, (select count(*) from changed_transactions) as changed,
         (select count(*) from changed_categories) as categories
    where cardinality($53::uuid[]) > 0
    on conflict (ledger_id) do update
    set position = ledger_chain_heads.position + 1, hash = sha256(ledger_chain_heads.hash || $55::bytea)
    returning position, hash
), link as (
    insert into ledger_chain (ledger_id, position, transaction_ids, versions, digests, hash)
    select $1, position, $53::uuid[], $54::int[], $55::bytea, hash from head
)
update ledger_account_balances b
set lock_version = new.lock_version,
    posted_debits = new.posted_debits,
    posted_credits = new.posted_credits,
    pending_debits = new.pending_debits,
    pending_credits = new.pending_credits
from unnest($47::uuid[], $48::bigint[], $49::numeric[], $50::numeric[], $51::numeric[], $52::numeric[])
    as new (account_id, lock_version, posted_debits, posted_credits, pending_debits, pending_credits)
where b.account_id = new.account_id
