"""How long to wait for a database that answers trivial statements in a millisecond or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

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
        connection.terminate()
        raise
