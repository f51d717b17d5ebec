"""The one connection a process keeps for its places in front of Codat: they are locks of that session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import asyncpg

from worker.database import Connection, Database

T = TypeVar("T")


class GateSession:
    """A connection taken out of the pool for as long as the process lives, opened when first needed.

    ``generation`` grows when a connection is lost, and with it every lock it held.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None
        self.generation = 0

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do one statement's work, one at a time; raises :class:`~worker.errors.DatabaseUnavailable`.

        A caller that must not lose what the statement took shields it from its own cancellation.
        """
        async with self._turn:
            connection = self._connection
            if connection is not None and _is_lost(connection):
                await self._forget(None)
                connection = None
            if connection is None:
                connection = await self._stack.enter_async_context(self._database.session())
                self._connection = connection
            try:
                return await work(connection)
            except BaseException as error:
                # Whatever went wrong, the session's locks are in doubt: give them all back with the connection.
                await self._forget(error)
                raise

    async def close(self) -> None:
        """Return the connection to the pool, which gives back every lock."""
        async with self._turn:
            await self._forget(None)

    async def _forget(self, error: BaseException | None) -> None:
        stack, self._stack, self._connection = self._stack, AsyncExitStack(), None
        self.generation += 1
        if error is None:
            await stack.aclose()
        else:
            # The database layer turns what the driver raised into DatabaseUnavailable on its way out.
            await stack.__aexit__(type(error), error, error.__traceback__)


def _is_lost(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has already taken it back, as it does when the server ends the session
