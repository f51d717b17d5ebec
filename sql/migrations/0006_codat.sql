-- The gate in front of Codat: what every replica together has asked of it, and when it may be asked again.

-- One row: all replicas use one Codat client, whose limits they share.
create table codat_gate (
    only_row boolean primary key default true check (only_row),
    -- Codat said 429, or its daily quota is used up: nobody asks before this time.
    closed_until timestamptz not null default '-infinity',
    -- The daily quota as Codat's headers and webhooks last told it.
    quota_limit integer check (quota_limit >= 0),
    quota_remaining integer check (quota_remaining >= 0),
    quota_resets_at timestamptz
);

insert into codat_gate default values;

-- Requests handed out per slice of time, as far back as the limit looks; older slices are deleted on the way.
create table codat_request_slices (
    starts_at timestamptz primary key,
    taken integer not null check (taken > 0)
);

-- Hands out up to `wanted` requests so that no more than `allowed` are handed out within `span`, whoever asks.
-- Slices are counted whole, so `span` must exceed the limit's own window by one `slice`. What the asking process has
-- heard of the quota since it last asked (nulls: nothing) is kept on the way, which saves it a round trip.
create function take_codat_requests(
    wanted integer,
    allowed integer,
    span interval,
    slice interval,
    told_limit integer,
    told_remaining integer,
    told_reset timestamptz
) returns table (granted integer, retry_after interval)
language plpgsql as $$
declare
    gate codat_gate;
    moment timestamptz;
    oldest timestamptz;
    spent integer;
begin
    select * into strict gate from codat_gate for update;
    moment := clock_timestamp();  -- after the lock: takers are counted in the order they were let in
    if coalesce(told_limit, told_remaining) is not null then
        update codat_gate
        set quota_limit = told_limit, quota_remaining = told_remaining, quota_resets_at = told_reset;
    end if;
    if gate.closed_until > moment then
        return query select 0, gate.closed_until - moment;
        return;
    end if;
    delete from codat_request_slices where starts_at <= moment - span;
    select coalesce(sum(taken), 0), min(starts_at) into spent, oldest from codat_request_slices;
    granted := least(wanted, allowed - spent);
    if granted <= 0 then
        return query select 0, oldest + span - moment;
        return;
    end if;
    insert into codat_request_slices (starts_at, taken)
    values (date_bin(slice, moment, timestamptz '2000-01-01'), granted)
    on conflict (starts_at) do update set taken = codat_request_slices.taken + excluded.taken;
    return query select granted, interval '0';
end
$$;

-- Takes one of a company's places for a request under way, or null when all are taken. The place is an advisory lock
-- of the session: PostgreSQL itself gives it back when a process dies. A session could lock its own place twice,
-- hence it names those it has in `held`.
create function take_codat_place(company integer, places integer, held integer[]) returns integer
language plpgsql as $$
begin
    for place in 0 .. places - 1 loop
        if place <> all (held) and pg_try_advisory_lock(company, place) then
            return place;
        end if;
    end loop;
    return null;
end
$$;
