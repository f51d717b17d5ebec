"""PostgreSQL going away while jobs run: nothing is lost, nothing is repeated, and nobody has to restart anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.jobs.conftest import Eventually
from worker.database import Database
from worker.jobs import store
from worker.jobs.hints import Hints
from worker.jobs.job import Claim, Done, NewJob, Outcome, Registration
from worker.jobs.runner import Runner
from worker.migrations import migrate
from worker.postgres import Listen, PostgresServer


async def test_results_outlive_an_outage_and_work_goes_on_afterwards(
    short_directory: Path, eventually: Eventually
) -> None:
    sockets = short_directory / "outage"
    sockets.mkdir(mode=0o777)
    sockets.chmod(0o777)
    server = PostgresServer(short_directory / "outage-cluster", Listen(socket_dir=sockets), settings={})
    await server.initialize()
    await server.start()
    try:
        async with Database.open(server.url()) as database:
            await survive_an_outage(server, database, eventually)
    finally:
        server.kill()


async def survive_an_outage(server: PostgresServer, database: Database, eventually: Eventually) -> None:
    attempts: list[tuple[int, int]] = []
    release, stop = asyncio.Event(), asyncio.Event()

    async def handler(claim: Claim) -> list[Outcome]:
        attempts.append((claim.jobs[0].subject, claim.jobs[0].attempt))
        await release.wait()
        return [Done()]

    async def two_run() -> bool:
        return len(attempts) == 2

    async def is_empty() -> bool:
        async with database.connection() as connection:
            return await store.list_jobs(connection) == []

    async with database.connection() as connection:
        await migrate(connection)
        await store.enqueue_jobs(connection, [NewJob("work", lane, lane) for lane in range(4)])
    hints = Hints(database)
    runner = Runner(database, [Registration("work", handler, concurrency=2)], hints)
    async with asyncio.TaskGroup() as group:
        group.create_task(hints.run(stop))
        group.create_task(runner.run(stop))
        await eventually(two_run)
        server.kill()
        release.set()  # both jobs end while there is no database to tell
        await server.start()
        await eventually(is_empty)
        stop.set()
    assert attempts == [(0, 1), (1, 1), (2, 1), (3, 1)]
