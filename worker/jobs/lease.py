"""This process's lease: one row for all the jobs it holds, extended by a heartbeat on a connection of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable
from worker.jobs import store
from worker.jobs.patience import RECONNECT, promptly

HEARTBEAT: Final = timedelta(seconds=2)
"""A third of the lease: two heartbeats in a row may be lost without losing it."""

_log = structlog.get_logger(__name__)


class Lease:
    """Held under a random id that is never used again once the lease was lost."""

    def __init__(self, database: Database, name: str, *, on_loss: Callable[[], None]) -> None:
        self._database = database
        self._name = name
        self._on_loss = on_loss
        self._disturbed_at: float | None = None
        self.worker_id = 0
        self.lost = True  # until it is opened

    @property
    def is_steady(self) -> bool:
        """Whether the heartbeat did not fail lately: if ours did, so did others', and they deserve time to return."""
        if self._disturbed_at is None:
            return True
        return asyncio.get_running_loop().time() - self._disturbed_at > store.LEASE.total_seconds()

    async def open(self, connection: Connection) -> None:
        """Start anew under a new id."""
        worker_id = _draw_worker_id()
        await store.register_worker(connection, worker_id, self._name)
        self.worker_id, self.lost = worker_id, False

    async def keep(self) -> None:
        """Send heartbeats until cancelled, through any trouble with the database."""
        while True:
            try:
                await self._beat()
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                self._disturbed_at = asyncio.get_running_loop().time()
                _log.warning("heartbeat_missed", error=str(error))
                await asyncio.sleep(RECONNECT.total_seconds())

    def report_loss(self) -> None:
        """Everything claimed under the present id now belongs to others."""
        self.lost = True
        _log.warning("lease_lost", worker_id=self.worker_id)
        self._on_loss()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._database.connection() as connection:
            while True:
                worker_id = self.worker_id
                async with promptly(connection):
                    renewed = await store.renew_lease(connection, worker_id)
                if not renewed and worker_id == self.worker_id and not self.lost:
                    self.report_loss()
                asleep_at = loop.time()
                await asyncio.sleep(HEARTBEAT.total_seconds())
                if loop.time() - asleep_at > store.LEASE.total_seconds():
                    self._disturbed_at = loop.time()  # this process was frozen, perhaps with the whole machine


def _draw_worker_id() -> int:
    return secrets.randbits(62) + 1  # fits bigint, and is never the 0 of a lease not opened yet
