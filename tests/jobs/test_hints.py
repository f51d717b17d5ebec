"""Hints shorten the wait for work; without them the poll floor still finds it."""

from __future__ import annotations

import asyncio
import time

from tests.jobs.conftest import Eventually, Working
from worker.database import Database
from worker.jobs import store
from worker.jobs.hints import Hints
from worker.jobs.job import Claim, Done, NewJob, Outcome, Registration

KILL_LISTENER = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'
"""


class Collector:
    """A handler that does nothing but remember."""

    def __init__(self) -> None:
        self.subjects: list[int] = []

    async def __call__(self, claim: Claim) -> list[Outcome]:
        self.subjects.extend(job.subject for job in claim.jobs)
        return [Done()] * len(claim.jobs)


async def test_a_worker_that_hears_no_hints_finds_work_by_looking(
    database: Database, working: Working, eventually: Eventually
) -> None:
    handler = Collector()

    async def has_run() -> bool:
        return handler.subjects == [1]

    async def listener_is_dead() -> bool:
        async with database.connection() as connection:
            return int(await connection.fetchval(KILL_LISTENER)) > 0

    async with working(Registration("work", handler)):
        await eventually(listener_is_dead)
        async with database.connection() as connection:
            await store.enqueue_jobs(connection, [NewJob("work", 1, 1)])
        await eventually(has_run)


async def test_a_lost_listener_is_replaced_and_hears_again(database: Database, eventually: Eventually) -> None:
    here, elsewhere, stop = Hints(database), Hints(database), asyncio.Event()
    heard: list[float] = []
    here.subscribe(lambda: heard.append(time.monotonic()))

    async def listens() -> bool:
        return here.listening

    async def hears() -> bool:
        heard.clear()
        elsewhere.nudge()
        await asyncio.sleep(0.01)
        return bool(heard)

    async with asyncio.TaskGroup() as group:
        group.create_task(here.run(stop))
        group.create_task(elsewhere.run(stop))
        await eventually(listens)
        await eventually(hears)
        async with database.connection() as connection:
            assert await connection.fetchval(KILL_LISTENER) == 2

        async def noticed() -> bool:
            return not here.listening

        await eventually(noticed)
        await eventually(listens)
        await eventually(hears)
        stop.set()


async def test_a_burst_of_nudges_is_a_handful_of_notifications(database: Database, eventually: Eventually) -> None:
    hints, stop = Hints(database), asyncio.Event()
    received: list[object] = []

    def receive(*message: object) -> None:
        received.append(message[-1])

    async def has_received() -> bool:
        return bool(received)

    async with database.connection() as connection, asyncio.TaskGroup() as group:
        await connection.add_listener("jobs", receive)
        for _ in range(1_000):
            hints.nudge()
        group.create_task(hints.run(stop))
        await eventually(has_received)
        stop.set()
        await connection.remove_listener("jobs", receive)
    assert set(received) == {""}
    assert len(received) <= 2


async def test_enqueueing_notifies_nobody_inside_its_transaction(database: Database) -> None:
    async with database.connection() as connection:
        definitions = await connection.fetchval(
            "select string_agg(prosrc, ' ') from pg_proc where pronamespace = 'public'::regnamespace"
        )
    assert "notify" not in definitions.lower().replace("no notify here", "")
