"""What the queue's tests share: a worker running in this process, and waiting for a condition."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TypeAlias

import asyncpg
import pytest

from tests.conftest import copied_database
from worker.database import Database
from worker.jobs.hints import Hints
from worker.jobs.job import Registration
from worker.jobs.runner import DRAIN, Runner

PATIENCE_SECONDS = 30.0
"""When a condition that must come true counts as never coming; no test measures speed by it."""

Eventually: TypeAlias = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
Working: TypeAlias = Callable[..., AbstractAsyncContextManager[Runner]]


@pytest.fixture(scope="session")
async def queue_url(server_url: str, template: str, database_numbers: Iterator[int]) -> AsyncIterator[str]:
    """One database for all tests of the queue: emptying it is far quicker than copying it."""
    async with copied_database(server_url, template, next(database_numbers)) as url:
        yield url


@pytest.fixture
async def database_url(queue_url: str) -> str:
    """URL of a migrated database with an empty queue."""
    connection = await asyncpg.connect(queue_url)
    await connection.execute("truncate jobs, job_workers, job_attempts, dead_letters restart identity")
    await connection.close()
    return queue_url


@pytest.fixture
def eventually() -> Eventually:
    """Polls until the condition holds."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if await condition():
                    return
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def working(database: Database) -> Working:
    """A runner at work in this process; it is drained on leaving."""

    @asynccontextmanager
    async def work(
        *registrations: Registration, drain: timedelta = DRAIN, on_lease_lost: Callable[[], None] = lambda: None
    ) -> AsyncIterator[Runner]:
        stop = asyncio.Event()
        hints = Hints(database)
        runner = Runner(database, registrations, hints, drain=drain, on_lease_lost=on_lease_lost)
        async with asyncio.TaskGroup() as group:
            group.create_task(hints.run(stop))
            group.create_task(runner.run(stop))
            try:
                yield runner
            finally:
                stop.set()

    return work
