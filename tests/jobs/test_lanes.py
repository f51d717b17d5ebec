"""Jobs of one lane run one at a time and in order; lanes do not get in each other's way."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from datetime import timedelta

import asyncpg
import pytest

from tests.jobs.conftest import Eventually, Working
from worker.database import Database
from worker.jobs import store
from worker.jobs.job import Bury, Claim, Done, NewJob, Outcome, Park, Registration, Retry, Settled, Snooze
from worker.jobs.store import JobState

LANES = 5
JOBS = 1_000
ENQUEUERS = 16
SEED = 20_260_105


async def is_empty(database: Database) -> bool:
    async with database.connection() as connection:
        return not await store.list_jobs(connection)


class Recorder:
    """A handler that notices jobs of one lane overlapping, and ends each job in one of the ways it may end."""

    def __init__(self, database: Database, seed: int) -> None:
        self.finished: defaultdict[int, list[int]] = defaultdict(list)
        self.overlaps = 0
        self._running: set[int] = set()
        self._database = database
        self._random = random.Random(seed)

    async def __call__(self, claim: Claim) -> list[Outcome]:
        return [await self._one(claim, index) for index in range(len(claim.jobs))]

    async def _one(self, claim: Claim, index: int) -> Outcome:
        job = claim.jobs[index]
        self.overlaps += job.lane in self._running
        self._running.add(job.lane)
        await asyncio.sleep(0)
        outcomes: list[Outcome] = [Done(), Settled(), Snooze(timedelta(0)), Retry("again")]
        [outcome] = self._random.choices(outcomes, [90, 6, 3, 1])
        if isinstance(outcome, Settled):
            async with self._database.transaction() as connection:
                assert await store.finish_jobs(connection, claim.worker_id, [job.id]) == {job.id}
        if isinstance(outcome, Done | Settled):
            self.finished[job.lane].append(job.id)
        self._running.discard(job.lane)
        return outcome


async def test_under_concurrent_enqueuers_and_two_workers_nothing_is_lost_doubled_overlapping_or_stuck(
    database: Database, working: Working, eventually: Eventually
) -> None:
    handler, draw = Recorder(database, SEED), random.Random(SEED)
    left = iter([draw.randrange(LANES) for _ in range(JOBS)])
    enqueued: list[int] = []

    async def enqueue_singly() -> None:
        async with database.connection() as connection:
            for lane in left:
                enqueued.extend(await store.enqueue_jobs(connection, [NewJob("work", lane, 0)]))

    crew = Registration("work", handler, concurrency=10, max_attempts=100)
    async with working(crew), working(crew):
        await asyncio.gather(*(enqueue_singly() for _ in range(ENQUEUERS)))
        await eventually(lambda: is_empty(database))

    finished = [job_id for lane in handler.finished.values() for job_id in lane]
    assert sorted(finished) == sorted(enqueued)
    assert len(enqueued) == JOBS
    assert handler.overlaps == 0
    assert all(ids == sorted(ids) for ids in handler.finished.values())


async def test_jobs_enqueued_together_keep_their_order_and_get_ids_in_that_order(database: Database) -> None:
    async with database.connection() as connection:
        ids = await store.enqueue_jobs(connection, [NewJob("a", 1, 10), NewJob("b", 2, 11), NewJob("a", 1, 12)])
        jobs = await store.list_jobs(connection)
    assert ids == sorted(ids)
    assert [(job.subject, job.state) for job in jobs] == [
        (10, JobState.READY),
        (11, JobState.READY),
        (12, JobState.BLOCKED),
    ]


async def test_enqueueing_is_undone_with_its_transaction(database: Database) -> None:
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await store.enqueue_jobs(connection, [NewJob("a", 1, 10)])
        await transaction.rollback()
        assert await store.list_jobs(connection) == []


@pytest.mark.parametrize("state", [JobState.READY, JobState.RUNNING, JobState.WAITING])
async def test_postgres_refuses_a_second_live_job_in_a_lane(database: Database, state: JobState) -> None:
    async with database.connection() as connection:
        await store.enqueue_jobs(connection, [NewJob("a", 1, 10), NewJob("a", 1, 11)])
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("update jobs set state = $1, worker = 1 where subject = 11", state)


@pytest.mark.parametrize("held_up_by", [Retry("not today"), Snooze(timedelta(hours=1)), Park("until somebody comes")])
async def test_a_head_that_waits_blocks_its_own_lane_and_no_other(
    database: Database, working: Working, eventually: Eventually, held_up_by: Outcome
) -> None:
    done: list[int] = []

    async def handler(claim: Claim) -> list[Outcome]:
        if claim.jobs[0].subject == 10:
            return [held_up_by]
        done.append(claim.jobs[0].subject)
        return [Done()]

    async def others_are_done() -> bool:
        async with database.connection() as connection:
            jobs = await store.list_jobs(connection)
            await connection.execute("update jobs set run_at = 'infinity' where state = 3")  # the wait never ends
        return [job.state for job in jobs] == [JobState.WAITING, JobState.BLOCKED]

    async with database.connection() as connection:
        await store.enqueue_jobs(
            connection, [NewJob("a", lane, subject) for lane, subject in [(1, 10), (1, 11), (2, 20), (2, 21)]]
        )
    async with working(Registration("a", handler, max_attempts=1_000)):
        await eventually(others_are_done)
    assert done == [20, 21]


async def test_a_dead_letter_frees_its_lane(database: Database, working: Working, eventually: Eventually) -> None:
    async def handler(claim: Claim) -> list[Outcome]:
        return [Bury("impossible", "it is") if claim.jobs[0].subject == 10 else Done()]

    async with database.connection() as connection:
        await store.enqueue_jobs(connection, [NewJob("a", 1, 10), NewJob("a", 1, 11)])
    async with working(Registration("a", handler)):
        await eventually(lambda: is_empty(database))
    async with database.connection() as connection:
        assert [letter.subject for letter in await store.list_dead_letters(connection)] == [10]


async def test_a_slow_kind_does_not_starve_another(
    database: Database, working: Working, eventually: Eventually
) -> None:
    release = asyncio.Event()
    quick_done: list[int] = []

    async def slow(_: Claim) -> list[Outcome]:
        await release.wait()
        return [Done()]

    async def quick(claim: Claim) -> list[Outcome]:
        quick_done.extend(job.subject for job in claim.jobs)
        return [Done()] * len(claim.jobs)

    async def all_quick_ones_are_done() -> bool:
        return len(quick_done) == 20

    async with database.connection() as connection:
        await store.enqueue_jobs(connection, [NewJob("slow", n, n) for n in range(50)])
        await store.enqueue_jobs(connection, [NewJob("quick", n, n) for n in range(100, 120)])
    async with working(Registration("slow", slow, concurrency=2), Registration("quick", quick, batch_size=8)):
        await eventually(all_quick_ones_are_done)
        async with database.connection() as connection:
            running = await store.list_jobs(connection, kind="slow", state=JobState.RUNNING)
        assert len(running) == 2
        release.set()
        await eventually(lambda: is_empty(database))
