"""What every worker does for the queue beside its own jobs: rescue those of lost workers, forget old history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from worker.database import Database
from worker.errors import DatabaseUnavailable
from worker.jobs import store
from worker.jobs.lease import Lease

RESCUE_PERIOD: Final = timedelta(seconds=1)
"""Added to the lease, this bounds how long a killed worker's jobs wait: 7 s, and 8 s with a missed poll."""

HISTORY_RETENTION: Final = timedelta(days=30)
"""How long the failed attempts of jobs that ended well are kept: a month of looking back, as for other history."""

PRUNE_PERIOD: Final = timedelta(minutes=5)
"""Forgetting is never urgent, and looks through the oldest history each time."""

_log = structlog.get_logger(__name__)


class Maintenance:
    """Run by every worker at once; each statement is safe to be run by all of them at the same moment."""

    def __init__(self, database: Database, lease: Lease, *, on_rescue: Callable[[], None]) -> None:
        self._database = database
        self._lease = lease
        self._on_rescue = on_rescue
        self._prune_at = 0.0

    async def run(self) -> None:
        """Repeat :meth:`run_once` until cancelled, through any trouble with the database."""
        while True:
            try:
                await self.run_once()
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                _log.warning("maintenance_interrupted", error=str(error))
            await asyncio.sleep(RESCUE_PERIOD.total_seconds())

    async def run_once(self) -> None:
        """Rescue the jobs of lost workers, unless our own touch with the database was lost a moment ago."""
        if not self._lease.is_steady:
            return
        async with self._database.connection() as connection:
            rescued = await store.rescue_expired(connection)
            if (now := asyncio.get_running_loop().time()) >= self._prune_at:
                self._prune_at = now + PRUNE_PERIOD.total_seconds()
                await store.prune_attempts(connection, HISTORY_RETENTION)
        if rescued:
            _log.warning("jobs_rescued", jobs=rescued)
            self._on_rescue()
