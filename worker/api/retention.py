"""Forgetting: expired idempotency keys, and events and bulk requests that are long over. Never the books themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from worker.api import bulk_store, events_store, idempotency_store
from worker.database import Database
from worker.errors import DatabaseUnavailable

PRUNE_PERIOD: Final = timedelta(minutes=10)
"""Forgetting is never urgent: an expired key is passed over whether or not it is still there."""

PRUNED_AT_ONCE: Final = 5_000
"""Rows one statement forgets: tens of milliseconds of work."""

PRUNINGS: Final = (
    idempotency_store.prune_kept,
    events_store.prune_events,
    bulk_store.prune_results,
    bulk_store.prune_requests,
)
"""In this order: a bulk request goes after its results."""

log = structlog.get_logger(__name__)


class Retention:
    """Run by every process at once; each statement passes over the rows that another one is forgetting."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Repeat :meth:`prune` until cancelled, through any trouble with the database."""
        while True:
            try:
                await self.prune()
            except DatabaseUnavailable as error:
                log.warning("pruning_interrupted", error=str(error))
            except Exception:
                log.exception("pruning_failed")  # what was forgotten is; the next turn goes on there
            await asyncio.sleep(PRUNE_PERIOD.total_seconds())

    async def prune(self) -> None:
        """Forget everything whose time is over, in many small commits."""
        async with self._database.connection() as connection:
            for prune in PRUNINGS:
                while await prune(connection, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
                    pass
