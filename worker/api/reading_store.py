"""Reading lists and whole objects, each as one snapshot of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from worker.database import Connection, Database, query
from worker.errors import Unavailable


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection whose statements all see the same moment, and are planned for the filters they are given.

    Raises :class:`~worker.errors.Unavailable` when a statement takes longer than any may.
    """
    try:
        async with _transaction(database) as connection:
            await connection.execute(query("api/begin_reading"))
            yield connection
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("a list took too long to read: ask for less of it") from error


@asynccontextmanager
async def steady(database: Database) -> AsyncIterator[Connection]:
    """A connection whose statements all see the same moment, for what is found by a key: their plans are kept.

    Raises :class:`~worker.errors.Unavailable` as :func:`snapshot` does.
    """
    try:
        async with _transaction(database) as connection:
            yield connection
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("an object took too long to read") from error


@asynccontextmanager
async def _transaction(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection
