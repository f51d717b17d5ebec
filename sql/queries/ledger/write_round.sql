-- Writes what a batch decided, all in one statement, because the tables check each statement as a whole.
-- Numbers come as the text of their arrays, which costs both sides less than element by element. What repeats in many
-- rows (transactions, accounts, moments, days, metadata of entries) comes once, and rows tell its place. A column of
-- nothing but nulls comes empty.
with new_balances as (
    select ($50::uuid[])[place] as account_id, lock_version, posted_debits, posted_credits, pending_debits,
           pending_credits
    from unnest($51::text::bigint[], $52::text::numeric[], $53::text::numeric[], $54::text::numeric[],
                $55::text::numeric[])
        with ordinality
        as new (lock_version, posted_debits, posted_credits, pending_debits, pending_credits, place)
), new_transactions as (
    insert into ledger_transactions
        (ledger_id, id, status, external_id, description, effective_at, metadata, archived_reason,
         reverses_ledger_transaction_id, partially_posts_ledger_transaction_id, ledgerable_type, ledgerable_id,
         last_entry, content_digest, posted_at)
    select $1, id, status, external_id, description, effective_at, metadata::jsonb, archived_reason, reverses,
           partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest,
           case status when 'posted' then now() end
    from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::uuid[],
                $10::uuid[], $11::text[], $12::uuid[], $13::text::int[], $14::bytea[])
        as new (id, status, external_id, description, effective_at, metadata, archived_reason, reverses,
                partially_posts, ledgerable_type, ledgerable_id, last_entry, content_digest)
    returning id
), new_entries as (
    insert into ledger_entries
        (transaction_id, account_id, effective_at, metadata, n, direction, amount, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select ($15::uuid[])[of_transaction], ($50::uuid[])[of_account], ($16::timestamptz[])[at_moment],
           ($17::jsonb[])[with_metadata], n, direction, amount, lock_version,
           posted_debits, posted_credits, pending_debits, pending_credits
    from unnest($18::text::int[], $19::text::int[], $20::text::int[], $21::text::int[], $22::text::int[],
                $23::text::text[], $24::text::numeric[], $25::text::bigint[], $26::text::numeric[],
                $27::text::numeric[], $28::text::numeric[], $29::text::numeric[])
        as new (of_transaction, of_account, at_moment, with_metadata, n, direction, amount, lock_version,
                posted_debits, posted_credits, pending_debits, pending_credits)
), new_transitions as (
    insert into ledger_entry_transitions
        (transaction_id, n, account_id, to_status, lock_version,
         posted_debits, posted_credits, pending_debits, pending_credits)
    select *
    from unnest($30::uuid[], $31::int[], $32::uuid[], $33::text[], $34::bigint[],
                $35::numeric[], $36::numeric[], $37::numeric[], $38::numeric[])
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
    from unnest($39::uuid[], $40::text[], $41::text[], $42::text[], $43::timestamptz[], $44::text[], $45::text[],
                $46::text[], $47::uuid[], $48::int[], $49::int[])
        as changed (id, status, external_id, description, effective_at, metadata, archived_reason, ledgerable_type,
                    ledgerable_id, first_entry, last_entry)
    where t.id = changed.id
    returning t.id
), new_days as (
    insert into ledger_account_days as d
        (account_id, day, posted_debits, posted_credits, pending_debits, pending_credits)
    select ($50::uuid[])[of_account], ($59::date[])[on_day], posted_debits, posted_credits, pending_debits,
           pending_credits
    from unnest($60::text::int[], $61::text::int[], $62::text::numeric[], $63::text::numeric[], $64::text::numeric[],
                $65::text::numeric[])
        as new (of_account, on_day, posted_debits, posted_credits, pending_debits, pending_credits)
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
    from new_balances new
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
    select $1, 1, sha256(decode(repeat('00', 32), 'hex') || $58::bytea)
    from (select count(*) from new_transactions) as added, (select count(*) from changed_transactions) as changed,
         (select count(*) from changed_categories) as categories
    where cardinality($56::uuid[]) > 0
    on conflict (ledger_id) do update
    set position = ledger_chain_heads.position + 1, hash = sha256(ledger_chain_heads.hash || $58::bytea)
    returning position, hash
), link as (
    insert into ledger_chain (ledger_id, position, transaction_ids, versions, digests, hash)
    select $1, position, $56::uuid[], $57::text::int[], $58::bytea, hash from head
)
update ledger_account_balances b
set lock_version = new.lock_version,
    posted_debits = new.posted_debits,
    posted_credits = new.posted_credits,
    pending_debits = new.pending_debits,
    pending_credits = new.pending_credits
from new_balances new
where b.account_id = new.account_id
