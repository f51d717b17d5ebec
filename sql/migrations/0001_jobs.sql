-- The queue: one thin row per job, in lanes that run one job at a time and in order.
--
-- A lane's oldest unfinished job is its head; all others are blocked. Finishing a head promotes the next one, so that
-- claiming never has to look at a lane: it takes rows that are ready, at a cost no backlog changes.
--
--            enqueue                promote               claim                 done, bury
--   (none) ──────────▶ 2 blocked ──────────▶ 0 ready ──────────▶ 1 running ──────────▶ (none)
--             │                               ▲  ▲                │      │ snooze, retry, park
--             └────────── lane is free ───────┘  └── hand back ───┘      ▼
--                                             └──── due, woken ─────── 3 waiting
--
-- Lock order, the same everywhere: workers, then jobs in id order, then lanes in order. A transaction may therefore
-- finish or wake jobs first and enqueue last, and calls enqueue_jobs once. READ COMMITTED is assumed: every statement
-- after a lane lock must see what the lock's former holder committed.

create table jobs (
    -- In one lane, ids ascend in the order of commitment: they are drawn while the lane is locked.
    id bigint generated always as identity primary key,
    -- What to do, for whom: the kind names the handler, the subject is that handler's own row.
    kind text not null,
    lane bigint not null,
    subject bigint not null,
    -- 0 ready, 1 running, 2 blocked behind its lane's head, 3 waiting for run_at ('infinity': parked until woken).
    state smallint not null check (state between 0 and 3),
    run_at timestamptz not null default clock_timestamp(),
    -- Attempts begun since the handler last gave a healthy answer; a crash keeps it, handing back takes it off again.
    attempt smallint not null default 0 check (attempt >= 0),
    -- Who runs it, or ran it last; null while it never began. Fencing compares it together with state = 1.
    worker bigint,
    -- Woken while running: its next snooze or park makes it ready at once. Settled: finished by its own transaction.
    woken boolean not null default false,
    settled boolean not null default false,
    -- Why it waits: the last error, or what it is parked for.
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    check (state <> 1 or worker is not null),
    check (state <> 2 or worker is null),
    check (state = 1 or not (woken or settled))
) with (
    -- Room for the two updates of a job's life; vacuum early, because the table is small and turns over constantly.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);

-- Claim order within a kind.
create index jobs_ready on jobs (kind, run_at, id) where state = 0;
-- At most one live job in a lane, whatever the code above believes.
create unique index jobs_head on jobs (lane) where state <> 2;
-- A lane's next job.
create index jobs_blocked on jobs (lane, id) where state = 2;
-- Jobs that began: found by subject to be woken, and walked to rescue those of a lost worker.
create index jobs_begun on jobs (subject) where worker is not null;
-- Waiting jobs whose time has come.
create index jobs_waiting on jobs (run_at) where state = 3;

create table job_workers (
    -- Drawn at random for every process and again after every lost lease: no two runs ever share it.
    id bigint primary key,
    name text not null,
    started_at timestamptz not null default clock_timestamp(),
    -- One lease for all the jobs the process holds. Lost: somebody took its jobs away, and it must not come back.
    lease_until timestamptz not null,
    lost boolean not null default false,
    -- Counts the connections it pumped on: only the latest may claim.
    session int not null default 0
) with (fillfactor = 50);

-- Every attempt that failed, kept after its job is gone. Attempt numbers restart after a healthy answer.
create table job_attempts (
    id bigint generated always as identity primary key,
    job_id bigint not null,
    attempt smallint not null,
    at timestamptz not null default clock_timestamp(),
    worker bigint,
    outcome text not null check (outcome in ('failed', 'crashed', 'buried')),
    error text not null
);
create index job_attempts_of_job on job_attempts (job_id, id);

create table dead_letters (
    id bigint generated always as identity primary key,
    -- The job as it was.
    job_id bigint not null unique,
    kind text not null,
    lane bigint not null,
    subject bigint not null,
    attempt smallint not null,
    created_at timestamptz not null,
    -- Why it was given up: a class to count by, and plain words.
    reason_class text not null,
    reason text not null,
    buried_at timestamptz not null default clock_timestamp(),
    -- Replaying enqueues a new job once; that job may be buried again, as a dead letter of its own.
    replayed_at timestamptz,
    replayed_job_id bigint unique,
    check ((replayed_at is null) = (replayed_job_id is null))
);
create index dead_letters_open on dead_letters (reason_class, buried_at) where replayed_at is null;

create function lock_lanes(p_lanes bigint[]) returns void
language plpgsql as $$
begin
    -- Shared memory only, no WAL; sorted, so that two callers cannot wait for each other.
    perform pg_advisory_xact_lock(l.lane) from (select distinct unnest(p_lanes) as lane order by 1) l;
end $$;

create function enqueue_jobs(p_kinds text[], p_lanes bigint[], p_subjects bigint[]) returns bigint[]
language plpgsql set enable_seqscan = off as $$
declare
    v_ids bigint[];
begin
    perform lock_lanes(p_lanes);
    with fresh as materialized (
        select nextval(pg_get_serial_sequence('jobs', 'id')) as id, u.kind, u.lane, u.subject, u.n
        from unnest(p_kinds, p_lanes, p_subjects) with ordinality as u (kind, lane, subject, n)
    ), added as (
        insert into jobs (id, kind, lane, subject, state) overriding system value
        select f.id, f.kind, f.lane, f.subject,
            case
                when row_number() over (partition by f.lane order by f.n) > 1 then 2
                -- "limit 1" keeps this a probe of jobs_head: the planner may not turn it into one big hash.
                when (select true from jobs h where h.lane = f.lane and h.state <> 2 limit 1) then 2
                else 0
            end
        from fresh f
    )
    select coalesce(array_agg(f.id order by f.n), '{}') into v_ids from fresh f;
    -- No NOTIFY here: it holds one lock for the whole cluster through the commit. Callers give their hint afterwards.
    return v_ids;
end $$;

create function promote_jobs(p_lanes bigint[], p_finished bigint[]) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
begin
    perform lock_lanes(p_lanes);
    -- A new statement, hence a new snapshot: it sees every job enqueued while the old head was still alive.
    update jobs j set state = 0, run_at = clock_timestamp()
    from unnest(p_lanes, p_finished) as f (lane, id)
    cross join lateral (
        select b.id from jobs b where b.lane = f.lane and b.state = 2 and b.id > f.id order by b.id limit 1
    ) as next
    where j.id = next.id;
end $$;

create function wake_jobs(p_kind text, p_subjects bigint[]) returns void
language plpgsql set enable_seqscan = off as $$
begin
    -- A ready job is locked too: it cannot be claimed before what the waking transaction wrote can be read.
    -- One that never began has nothing to be woken from.
    perform 1 from jobs j
    where j.subject = any (p_subjects) and j.worker is not null and j.kind = p_kind
    order by j.id for no key update;
    update jobs j set
        state = case j.state when 1 then 1 else 0 end,
        woken = j.state = 1,
        run_at = case j.state when 3 then clock_timestamp() else j.run_at end
    where j.subject = any (p_subjects) and j.worker is not null and j.kind = p_kind;
end $$;

create function finish_done_jobs(p_worker bigint, p_done bigint[], p_settled bigint[]) returns bigint
language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_lanes bigint[];
    v_ids bigint[];
begin
    -- "is not distinct from" is no index condition: the primary key is the only way in, however stale the statistics.
    with finished as (
        delete from jobs j
        where j.id = any (p_done || p_settled) and j.worker is not distinct from p_worker and j.state = 1
            and (j.settled or j.id = any (p_done))
        returning j.id, j.lane
    )
    select array_agg(f.lane), array_agg(f.id) into v_lanes, v_ids from finished f;
    if v_ids is null then
        return 0;
    end if;
    perform promote_jobs(v_lanes, v_ids);
    return cardinality(v_ids);
end $$;

create function bury_jobs(p_ids bigint[], p_classes text[], p_reasons text[]) returns void
language plpgsql set enable_seqscan = off as $$
declare
    v_lanes bigint[];
    v_ids bigint[];
begin
    with buried as (
        delete from jobs j using unnest(p_ids, p_classes, p_reasons) as b (id, class, reason)
        where j.id = b.id
        returning j.*, b.class as reason_class, b.reason as why
    ), letters as (
        insert into dead_letters (job_id, kind, lane, subject, attempt, created_at, reason_class, reason)
        select b.id, b.kind, b.lane, b.subject, b.attempt, b.created_at, b.reason_class, b.why from buried b
    ), history as (
        insert into job_attempts (job_id, attempt, worker, outcome, error)
        select b.id, b.attempt, b.worker, 'buried', b.why from buried b
    )
    select array_agg(b.lane), array_agg(b.id) into v_lanes, v_ids from buried b where b.state <> 2;
    if v_ids is not null then
        perform promote_jobs(v_lanes, v_ids);
    end if;
end $$;

create function answer_jobs(
    p_worker bigint, p_ids bigint[], p_answers text[], p_delays interval[], p_classes text[], p_reasons text[]
) returns void
language plpgsql set enable_seqscan = off as $$
begin
    -- A handler that failed only after its transaction settled the job cannot take that back.
    perform finish_done_jobs(p_worker, '{}', p_ids);
    -- Fence: only what this worker still holds is answered for. Locked here, in id order, for all that follows.
    perform 1 from jobs j
    where j.id = any (p_ids) and j.worker is not distinct from p_worker and j.state = 1
    order by j.id for update;
    with answered as (
        select a.* from unnest(p_ids, p_answers, p_delays, p_reasons) as a (id, answer, delay, reason)
        where a.answer <> 'bury'
    ), failed as (
        insert into job_attempts (job_id, attempt, worker, outcome, error)
        select j.id, j.attempt, p_worker, 'failed', a.reason
        from answered a join jobs j on j.id = a.id and j.worker is not distinct from p_worker and j.state = 1
        where a.answer = 'retry'
    )
    update jobs j set
        state = case when a.answer in ('snooze', 'park') and j.woken then 0 else 3 end,
        run_at = case
            when a.answer in ('snooze', 'park') and j.woken then clock_timestamp()
            when a.answer = 'park' then 'infinity'
            else clock_timestamp() + a.delay
        end,
        attempt = case a.answer when 'retry' then j.attempt when 'hand_back' then greatest(j.attempt - 1, 0) else 0 end,
        reason = a.reason, woken = false
    from answered a
    where j.id = a.id and j.worker is not distinct from p_worker and j.state = 1;

    perform bury_jobs(array_agg(j.id), array_agg(b.class), array_agg(b.reason))
    from unnest(p_ids, p_answers, p_classes, p_reasons) as b (id, answer, class, reason)
    join jobs j on j.id = b.id and j.worker is not distinct from p_worker and j.state = 1
    where b.answer = 'bury'
    having count(*) > 0;
end $$;

create function ready_due_jobs(p_limit int) returns void
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
begin
    update jobs j set state = 0
    from (
        select w.id from jobs w
        where w.state = 3 and w.run_at <= clock_timestamp()
        order by w.run_at limit p_limit for no key update skip locked
    ) as due
    where j.id = due.id;
end $$;

create function claim_jobs(p_worker bigint, p_kinds text[], p_wants int[])
returns table (id bigint, kind text, lane bigint, subject bigint, attempt smallint, run_at timestamptz, created_at timestamptz)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
begin
    return query
    with claimed as materialized (
        select r.id
        from unnest(p_kinds, p_wants) as w (kind, want)
        cross join lateral (
            -- Each kind its own short walk of jobs_ready: a slow kind's backlog never stands before another's.
            select j.id from jobs j
            where j.state = 0 and j.kind = w.kind
            order by j.run_at, j.id limit w.want for no key update skip locked
        ) as r
    )
    update jobs j set state = 1, worker = p_worker, attempt = j.attempt + 1, reason = null
    from claimed c where j.id = c.id
    returning j.id, j.kind, j.lane, j.subject, j.attempt, j.run_at, j.created_at;
end $$;

create function release_jobs(p_workers bigint[], p_crashed boolean) returns bigint
language plpgsql set enable_seqscan = off as $$
declare
    v_settled bigint[];
    v_lanes bigint[];
    v_count bigint;
begin
    -- "skip locked": a frozen process may still hold some in an open transaction; they come free when that ends.
    with held as materialized (
        select j.id from jobs j
        where j.worker is not null and j.worker = any (p_workers) and j.state = 1 and not j.settled
        order by j.id for update skip locked
    ), crashed as (
        insert into job_attempts (job_id, attempt, worker, outcome, error)
        select j.id, j.attempt, j.worker, 'crashed', 'the worker running it disappeared'
        from jobs j join held h on h.id = j.id where p_crashed
    )
    update jobs j set
        -- Crashed once: again at once. More often: apart from its neighbours, which may be innocent of the crash.
        state = case when p_crashed and j.attempt > 1 then 3 else 0 end,
        run_at = case
            when p_crashed and j.attempt > 1
                then clock_timestamp() + random() * least(interval '1 second' * 2 ^ (j.attempt - 2), interval '1 minute')
            else j.run_at
        end,
        attempt = case when p_crashed then j.attempt else greatest(j.attempt - 1, 0) end,
        woken = false
    from held h where j.id = h.id;
    get diagnostics v_count = row_count;

    with finished as (
        delete from jobs j using (
            select s.id from jobs s
            where s.worker is not null and s.worker = any (p_workers) and s.state = 1 and s.settled
            order by s.id for update skip locked
        ) as s
        where j.id = s.id returning j.id, j.lane
    )
    select array_agg(f.id), array_agg(f.lane) into v_settled, v_lanes from finished f;
    if v_settled is not null then
        perform promote_jobs(v_lanes, v_settled);
    end if;

    delete from job_workers w
    where w.id = any (p_workers)
        and not exists (select from jobs j where j.worker is not null and j.worker = w.id and j.state = 1);
    return v_count + coalesce(cardinality(v_settled), 0);
end $$;

create function begin_worker_session(p_worker bigint, p_lease interval, p_known bigint[]) returns int
language plpgsql set enable_seqscan = off as $$
declare
    v_session int;
begin
    update job_workers w set session = w.session + 1, lease_until = clock_timestamp() + p_lease
    where w.id = p_worker and not w.lost returning w.session into v_session;
    if v_session is not null then
        -- Claimed, but the answer never arrived: the worker does not know them, hence they were never attempted.
        update jobs j set state = 0, woken = false, attempt = greatest(j.attempt - 1, 0)
        where j.worker is not null and j.worker = p_worker and j.state = 1 and not j.settled and j.id <> all (p_known);
    end if;
    return v_session;
end $$;

create function rescue_jobs(p_grace interval) returns bigint
language plpgsql as $$
declare
    v_lost bigint[];
begin
    -- A server that just came back says nothing about its workers: they get time to renew first.
    if clock_timestamp() < pg_postmaster_start_time() + p_grace then
        return 0;
    end if;
    -- "skip locked": a worker in the middle of a claim is alive, and its claim must not outlive its row.
    select array_agg(w.id) into v_lost
    from (
        select k.id from job_workers k
        where k.lost or k.lease_until < clock_timestamp() order by k.id for update skip locked
    ) as w;
    if v_lost is null then
        return 0;
    end if;
    update job_workers k set lost = true where k.id = any (v_lost) and not k.lost;
    return release_jobs(v_lost, true);
end $$;

create function pump_jobs(
    p_worker bigint, p_session int, p_done bigint[], p_settled bigint[],
    p_ids bigint[], p_answers text[], p_delays interval[], p_classes text[], p_reasons text[],
    p_kinds text[], p_wants int[], p_due_limit int
)
returns table (id bigint, kind text, lane bigint, subject bigint, attempt smallint, run_at timestamptz, created_at timestamptz)
language plpgsql set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
    v_finished bigint;
begin
    if p_done <> '{}' or p_settled <> '{}' then
        v_finished := finish_done_jobs(p_worker, p_done, p_settled);
        if v_finished < cardinality(p_done) + cardinality(p_settled) and p_settled <> '{}' then
            -- Said to be settled, but the transaction that should have done so never committed: run it again.
            update jobs j set state = 0, woken = false
            where j.id = any (p_settled) and j.worker is not distinct from p_worker and j.state = 1;
        end if;
    end if;
    if p_ids <> '{}' then
        perform answer_jobs(p_worker, p_ids, p_answers, p_delays, p_classes, p_reasons);
    end if;
    if p_due_limit > 0 then
        perform ready_due_jobs(p_due_limit);
    end if;
    if p_kinds <> '{}' then
        -- The lease is held against the rescue until the claim is committed; without one nothing is claimed. Nor by
        -- a statement still under way on a connection its worker has given up: nobody would hear of that claim.
        perform 1 from job_workers w
        where w.id = p_worker and w.session = p_session and w.lease_until > clock_timestamp() and not w.lost
        for share;
        if found then
            return query select * from claim_jobs(p_worker, p_kinds, p_wants);
        end if;
    end if;
end $$;
