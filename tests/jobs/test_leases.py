"""A worker's jobs are its own while its lease lasts, and somebody else's for good once it was lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.jobs.conftest import Eventually, Working
from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable
from worker.jobs import store
from worker.jobs.job import Acknowledgement, Answer, Bury, Claim, Done, Job, NewJob, Outcome, Registration, Settled
from worker.jobs.store import JobState, Pump

ONE, TWO = 1_001, 1_002
"""Two workers' ids."""

AT_ONCE = timedelta(0)
HANGING_WORKER = Path(__file__).with_name("hanging_worker.py")


async def claim(connection: Connection, worker_id: int, limit: int = 10) -> list[Job]:
    """Open a lease for the worker and let it claim."""
    await store.register_worker(connection, worker_id, "test")
    session = await store.begin_session(connection, worker_id, [])
    assert session is not None
    return await store.pump(connection, Pump(worker_id, session, wants={"work": limit}))


async def let_lease_expire(connection: Connection, worker_id: int) -> None:
    await connection.execute(
        "update job_workers set lease_until = now() - interval '1 second' where id = $1", worker_id
    )


async def enqueue(database: Database, jobs: int) -> list[int]:
    async with database.transaction() as connection:
        return await store.enqueue_jobs(connection, [NewJob("work", n, n) for n in range(jobs)])


async def test_a_worker_without_a_valid_lease_claims_nothing(database: Database) -> None:
    await enqueue(database, 1)
    async with database.connection() as connection:
        await store.register_worker(connection, ONE, "test")
        session = await store.begin_session(connection, ONE, [])
        assert session is not None
        await let_lease_expire(connection, ONE)
        assert await store.pump(connection, Pump(ONE, session, wants={"work": 1})) == []
        assert await store.renew_lease(connection, ONE)
        assert len(await store.pump(connection, Pump(ONE, session, wants={"work": 1}))) == 1


async def test_only_the_latest_session_claims_and_jobs_claimed_unheard_are_handed_back(database: Database) -> None:
    known, unheard, fresh = await enqueue(database, 3)
    async with database.connection() as connection:
        assert [job.id for job in await claim(connection, ONE, limit=2)] == [known, unheard]
        second = await store.begin_session(connection, ONE, [known])
        assert second == 2
        assert await store.pump(connection, Pump(ONE, second - 1, wants={"work": 9})) == []
        again = await store.pump(connection, Pump(ONE, second, wants={"work": 9}))
    assert [(job.id, job.attempt) for job in again] == [(unheard, 1), (fresh, 1)]


async def test_the_jobs_of_an_expired_lease_are_rescued_and_their_crash_is_an_attempt(database: Database) -> None:
    [job_id] = await enqueue(database, 1)
    async with database.connection() as connection:
        await claim(connection, ONE)
        assert await store.rescue_expired(connection, AT_ONCE) == 0
        await let_lease_expire(connection, ONE)
        assert await store.rescue_expired(connection, AT_ONCE) == 1
        assert await store.rescue_expired(connection, AT_ONCE) == 0
        [again] = await claim(connection, TWO)
        [history] = await store.list_attempts(connection, job_id)
    assert (again.id, again.attempt) == (job_id, 2)
    assert (history.outcome, history.worker, history.attempt) == ("crashed", ONE, 1)


async def test_a_lease_that_ran_out_unnoticed_is_still_held(database: Database) -> None:
    [job_id] = await enqueue(database, 1)
    async with database.connection() as connection:
        await claim(connection, ONE)
        await let_lease_expire(connection, ONE)
        assert await store.renew_lease(connection, ONE)
        assert await store.rescue_expired(connection, AT_ONCE) == 0
        assert await store.finish_jobs(connection, ONE, [job_id]) == {job_id}


async def test_workers_get_time_to_return_after_the_server_itself_was_away(database: Database) -> None:
    await enqueue(database, 1)
    async with database.connection() as connection:
        await claim(connection, ONE)
        await let_lease_expire(connection, ONE)
        assert await store.rescue_expired(connection, grace=timedelta(days=365)) == 0
        assert await store.renew_lease(connection, ONE)


@pytest.mark.parametrize("rescued_to", ["nobody", "another worker"])
async def test_a_late_worker_can_do_nothing_with_jobs_it_lost(database: Database, rescued_to: str) -> None:
    finished, settled, buried, kept = ids = await enqueue(database, 4)
    async with database.connection() as connection:
        await claim(connection, ONE)
        await let_lease_expire(connection, ONE)
        await store.rescue_expired(connection, AT_ONCE)
        if rescued_to == "another worker":
            await claim(connection, TWO)
        before = await store.list_jobs(connection)

        assert await store.renew_lease(connection, ONE) is False
        assert await store.begin_session(connection, ONE, ids) is None
        assert await store.finish_jobs(connection, ONE, ids) == set()
        assert await store.hold_jobs(connection, ONE, ids) == set()
        burial = Acknowledgement(buried, Answer.BURY, reason_class="late", reason="late")
        snooze = Acknowledgement(kept, Answer.SNOOZE)
        late = Pump(ONE, 1, [finished], [settled], [burial, snooze], {"work": 9}, look_for_due=True)
        assert await store.pump(connection, late) == []

        assert await store.list_jobs(connection) == before
        assert await store.list_dead_letters(connection) == []


async def test_a_job_held_by_a_transaction_is_not_taken_over_before_it_ends(database: Database) -> None:
    [job_id] = await enqueue(database, 1)
    async with database.connection() as other:
        await claim(other, ONE)
        async with database.transaction() as connection:
            assert await store.hold_jobs(connection, ONE, [job_id]) == {job_id}
            await let_lease_expire(other, ONE)
            assert await store.rescue_expired(other, AT_ONCE) == 0
        assert await store.rescue_expired(other, AT_ONCE) == 1


async def test_a_job_settled_by_a_worker_that_died_before_saying_so_is_finished_not_repeated(
    database: Database,
) -> None:
    async with database.connection() as connection:
        [first, second] = await store.enqueue_jobs(connection, [NewJob("work", 1, 1), NewJob("work", 1, 2)])
        await claim(connection, ONE)
        assert await store.finish_jobs(connection, ONE, [first]) == {first}
        await let_lease_expire(connection, ONE)
        await store.rescue_expired(connection, AT_ONCE)
        assert [(job.id, job.state) for job in await store.list_jobs(connection)] == [(second, JobState.READY)]


async def test_jobs_that_crash_again_are_spread_out_so_that_the_guilty_one_ends_up_alone(database: Database) -> None:
    await enqueue(database, 3)
    async with database.connection() as connection:
        for worker_id in (ONE, TWO):
            await claim(connection, worker_id)
            await let_lease_expire(connection, worker_id)
            await store.rescue_expired(connection, AT_ONCE)
        jobs = await store.list_jobs(connection)
    assert {job.state for job in jobs} == {JobState.WAITING}
    assert len({job.run_at for job in jobs}) == 3


async def test_a_job_that_keeps_killing_its_worker_becomes_a_dead_letter_unseen(
    database: Database, working: Working, eventually: Eventually
) -> None:
    seen: list[int] = []
    [poison, innocent] = await enqueue(database, 2)
    async with database.connection() as connection:
        await claim(connection, ONE, limit=1)
        await connection.execute("update jobs set attempt = 3 where id = $1", poison)
        await let_lease_expire(connection, ONE)
        await store.rescue_expired(connection, AT_ONCE)

    async def handler(claim: Claim) -> list[Outcome]:
        seen.extend(job.id for job in claim.jobs)
        return [Done()] * len(claim.jobs)

    async def is_empty() -> bool:
        async with database.connection() as connection:
            return await store.list_jobs(connection) == []

    async with working(Registration("work", handler, max_attempts=3)):
        await eventually(is_empty)
    async with database.connection() as connection:
        [letter] = await store.list_dead_letters(connection)
        history = await store.list_attempts(connection, poison)
    assert seen == [innocent]
    assert (letter.job_id, letter.reason_class) == (poison, "exhausted")
    assert [attempt.outcome for attempt in history] == ["crashed", "buried"]


@asynccontextmanager
async def hanging_worker(database_url: str, jobs: int) -> AsyncIterator[Process]:
    """A real process that has begun that many jobs."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, HANGING_WORKER, database_url, "work", stdin=PIPE, stdout=PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        for _ in range(jobs):
            assert (await process.stdout.readline()).startswith(b"begun")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Heir:
    """A handler that takes over the jobs of others."""

    def __init__(self) -> None:
        self.attempts: dict[int, int] = {}

    async def __call__(self, claim: Claim) -> list[Outcome]:
        self.attempts.update((job.id, job.attempt) for job in claim.jobs)
        return [Done()] * len(claim.jobs)

    async def has_all_of(self, job_ids: list[int]) -> bool:
        return self.attempts.keys() >= set(job_ids)


async def test_after_kill_9_every_job_the_process_held_runs_again(
    database: Database, database_url: str, working: Working, eventually: Eventually
) -> None:
    job_ids, heir = await enqueue(database, 5), Heir()
    async with hanging_worker(database_url, jobs=5) as process:
        process.kill()
        await process.wait()
        async with working(Registration("work", heir)):
            await eventually(lambda: heir.has_all_of(job_ids))
    assert heir.attempts == dict.fromkeys(job_ids, 2)


async def test_a_worker_frozen_past_its_lease_cannot_finish_what_others_took_over(
    database: Database, database_url: str, working: Working, eventually: Eventually
) -> None:
    job_ids, heir = await enqueue(database, 3), Heir()
    async with hanging_worker(database_url, jobs=3) as process:
        process.send_signal(signal.SIGSTOP)
        async with working(Registration("work", heir)):
            await eventually(lambda: heir.has_all_of(job_ids))
            answer, _ = await thaw(process)
    assert answer.splitlines()[-1] == b"finished 0"


async def thaw(process: Process) -> tuple[bytes, bytes]:
    """Let the frozen process go on and try to finish its jobs; what it says then."""
    process.send_signal(signal.SIGCONT)
    return await process.communicate(b"finish\n")


async def test_a_runner_that_loses_its_lease_stops_its_handlers_and_goes_on_under_a_new_one(
    database: Database, working: Working, eventually: Eventually
) -> None:
    worker_ids: list[int] = []
    stopped: list[int] = []

    async def handler(claim: Claim) -> list[Outcome]:
        worker_ids.append(claim.worker_id)
        if len(worker_ids) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.append(claim.worker_id)
        return [Bury("second", "run")]

    async def is_buried() -> bool:
        async with database.connection() as connection:
            return bool(await store.list_dead_letters(connection))

    async def has_begun() -> bool:
        return bool(worker_ids)

    await enqueue(database, 1)
    losses: list[None] = []
    async with working(Registration("work", handler), on_lease_lost=lambda: losses.append(None)) as runner:
        await eventually(has_begun)
        first = runner.worker_id
        async with (
            database.connection() as connection
        ):  # what a rescue does, at the moment a heartbeat cannot interfere
            await connection.execute("update job_workers set lost = true where id = $1", first)
        await eventually(is_buried)
    assert stopped == [first]
    assert len(losses) == 1
    assert len(set(worker_ids)) == len(worker_ids) == 2


async def test_draining_finishes_what_it_can_and_hands_the_rest_back_uncounted(
    database: Database, working: Working, eventually: Eventually
) -> None:
    begun: list[int] = []
    release = asyncio.Event()

    async def handler(claim: Claim) -> list[Outcome]:
        [job] = claim.jobs
        begun.append(job.subject)
        await (release.wait() if job.subject == 0 else asyncio.Event().wait())
        return [Done()]

    async def both_have_begun() -> bool:
        return len(begun) == 2

    await enqueue(database, 3)
    async with working(Registration("work", handler, concurrency=2), drain=timedelta(seconds=1)):
        await eventually(both_have_begun)
        asyncio.get_running_loop().call_soon(release.set)
    async with database.connection() as connection:
        jobs = await store.list_jobs(connection)
        assert [(job.subject, job.state, job.attempt) for job in jobs] == [
            (1, JobState.READY, 0),
            (2, JobState.READY, 0),
        ]
        assert await connection.fetchval("select count(*) from job_workers") == 0
    assert sorted(begun) == [0, 1]


async def test_an_attempt_without_a_database_is_not_counted(
    database: Database, working: Working, eventually: Eventually
) -> None:
    attempts: list[int] = []

    async def handler(claim: Claim) -> list[Outcome]:
        attempts.append(claim.jobs[0].attempt)
        if len(attempts) < 2:
            raise DatabaseUnavailable("not now")
        async with database.transaction() as connection:
            await store.finish_jobs(connection, claim.worker_id, [claim.jobs[0].id])
        return [Settled()]

    async def is_empty() -> bool:
        async with database.connection() as connection:
            return await store.list_jobs(connection) == []

    await enqueue(database, 1)
    async with working(Registration("work", handler, max_attempts=1)):
        await eventually(is_empty)
    assert attempts == [1, 1]
