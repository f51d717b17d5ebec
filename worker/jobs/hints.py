"""Hints that there may be work: NOTIFY after a commit, on a connection of its own, and LISTEN on another.

A hint only shortens the wait. It carries nothing, bursts of it fold into one, and losing every one of them costs no
more than the runners' poll floor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from worker.database import Connection, Database, query
from worker.errors import DatabaseUnavailable
from worker.jobs.patience import RECONNECT, promptly, put_an_end_to

CHANNEL: Final = "jobs"
"""The channel of ``notify.sql``."""

FOLD: Final = timedelta(milliseconds=2)
"""Hints this close together are one: a burst of commits must not become a storm of notifications."""

KEEP_ALIVE: Final = timedelta(seconds=5)
"""How often the listening connection is tried out: one that died in silence is replaced within this and a reply."""

_log = structlog.get_logger(__name__)


class Hints:
    """Tells runners, in this process and in all others, to look for work now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._due = asyncio.Event()
        self._wakers: list[Callable[[], None]] = []
        self._listening = False

    @property
    def listening(self) -> bool:
        """Whether hints of other processes are being heard."""
        return self._listening

    def subscribe(self, waker: Callable[[], None]) -> None:
        """Call ``waker`` at every hint; it must be quick and must not raise."""
        self._wakers.append(waker)

    def nudge(self) -> None:
        """Give a hint. Call it after the commit; costs next to nothing and never fails."""
        self._wake()
        self._due.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send and hear hints until told to stop, through any loss of the database."""
        async with asyncio.TaskGroup() as group:
            loops = [group.create_task(self._persist(self._send)), group.create_task(self._persist(self._listen))]
            await stop.wait()
            await put_an_end_to(loops)

    async def _persist(self, converse: Callable[[Connection], Awaitable[None]]) -> None:
        while True:
            try:
                async with self._database.connection() as connection:
                    await converse(connection)
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                _log.warning("hints_interrupted", error=str(error))
                await asyncio.sleep(RECONNECT.total_seconds())

    async def _send(self, connection: Connection) -> None:
        while True:  # the first one on a new connection stands for those the old one may have swallowed
            self._due.clear()
            async with promptly(connection):
                await connection.execute(query("jobs/notify"))
            await asyncio.sleep(FOLD.total_seconds())
            await self._due.wait()

    async def _listen(self, connection: Connection) -> None:
        async with promptly(connection):
            await connection.add_listener(CHANNEL, self._heard)
        self._listening = True
        try:
            self._wake()  # for whatever was said while nobody listened
            while True:
                await asyncio.sleep(KEEP_ALIVE.total_seconds())
                async with promptly(connection):
                    await connection.execute(query("jobs/keep_alive"))
        finally:
            self._listening = False
            with suppress(asyncpg.InterfaceError):  # the pool took a connection that died back already
                async with promptly(connection):
                    await connection.remove_listener(CHANNEL, self._heard)

    def _heard(self, *_: object) -> None:
        self._wake()

    def _wake(self) -> None:
        for waker in self._wakers:
            waker()
