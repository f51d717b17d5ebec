-- The inbox: every webhook ever accepted, exactly as it came, once.

create table inbox_messages (
    -- In the order of arrival at one process; ids of messages that turned out to be duplicates are skipped.
    id bigint generated always as identity primary key,
    -- Whose it is, and the identity its sender gave it: a second delivery has the same.
    source text not null check (source in ('loans', 'codat')),
    webhook_id text not null check (webhook_id <> ''),
    -- What it is about, as far as the receiver had to know; null where no loan is named.
    type text not null,
    loan_id text,
    received_at timestamptz not null default now(),
    -- SHA-256 of the body: tells a second delivery from another message that borrows its identity.
    digest bytea not null check (length(digest) = 32),
    -- The bytes that were signed, so that they can be read again by a later program and proved to be genuine.
    body bytea not null,
    unique (source, webhook_id)
);

-- One loan's messages, newest first.
create index inbox_messages_of_loan on inbox_messages (loan_id, id) where loan_id is not null;

create function refuse_inbox_update() returns trigger
language plpgsql as $$
begin
    raise exception 'inbox_messages holds what was received and is never rewritten' using errcode = 'LW001';
end $$;

create trigger inbox_messages_append_only before update on inbox_messages
    for each statement execute function refuse_inbox_update();

create function record_messages(
    p_sources text[], p_webhook_ids text[], p_types text[], p_loan_ids text[], p_digests bytea[], p_bodies bytea[],
    p_kinds text[], p_lanes bigint[]
) returns table (ordinal bigint, message_id bigint, verdict text)
language plpgsql as $$
declare
    v_ids bigint[];
    v_fresh bigint[];
begin
    v_ids := array(
        select nextval(pg_get_serial_sequence('inbox_messages', 'id')) from generate_subscripts(p_webhook_ids, 1)
    );
    -- In the order of identities: two processes that store the same ones wait for each other in one direction only.
    -- Lane locks come after all of these waits, so the two kinds of waiting never cross either.
    with stored as (
        insert into inbox_messages (id, source, webhook_id, type, loan_id, digest, body) overriding system value
        select g.*
        from unnest(v_ids, p_sources, p_webhook_ids, p_types, p_loan_ids, p_digests, p_bodies)
            as g (id, source, webhook_id, type, loan_id, digest, body)
        order by g.source, g.webhook_id, g.id
        on conflict (source, webhook_id) do nothing
        returning id
    )
    select coalesce(array_agg(s.id), '{}') into v_fresh from stored s;

    if cardinality(v_fresh) = cardinality(v_ids) then
        perform enqueue_jobs(p_kinds, p_lanes, v_ids);
        return query select g.n, g.id, 'recorded' from unnest(v_ids) with ordinality as g (id, n);
        return;
    end if;

    if cardinality(v_fresh) > 0 then
        perform enqueue_jobs(array_agg(g.kind order by g.id), array_agg(g.lane order by g.id), array_agg(g.id order by g.id))
        from unnest(v_ids, p_kinds, p_lanes) as g (id, kind, lane)
        where g.id = any (v_fresh);
    end if;
    -- A new statement, hence a new snapshot: it sees what another process stored while the insertion waited for it.
    return query
        select g.n, m.id,
            case when m.id = g.id then 'recorded' when m.digest = g.digest then 'duplicate' else 'conflict' end
        from unnest(v_ids, p_sources, p_webhook_ids, p_digests) with ordinality as g (id, source, webhook_id, digest, n)
        join inbox_messages m on m.source = g.source and m.webhook_id = g.webhook_id;
end $$;
