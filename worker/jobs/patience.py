"""How long to wait for a database that answers trivial statements in a millisecond or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import asyncpg

from worker.database import Connection

REPLY: Final = timedelta(seconds=2)
"""Longest wait for a trivial statement: a third of a lease, so that a dead connection is replaced before it ends."""

RECONNECT: Final = timedelta(milliseconds=500)
"""Pause before the database is tried again: often enough to be back within a second of it, and no burden meanwhile."""


@asynccontextmanager
async def promptly(connection: Connection, limit: timedelta = REPLY) -> AsyncIterator[None]:
    """Give the connection up when the block takes longer; then raises :class:`TimeoutError`.

    Inside ``Database.connection()`` that surfaces as :class:`~worker.errors.DatabaseUnavailable`. Dropping the
    connection matters: saying goodbye to a silent network would hang as well.
    """
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError:
        with suppress(asyncpg.InterfaceError):  # the pool took a connection that died back already
            connection.terminate()
        raise


async def put_an_end_to(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they have ended: a connection that dies at that very moment can swallow a cancellation."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=REPLY.total_seconds())
