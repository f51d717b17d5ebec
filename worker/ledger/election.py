"""Which process decides a ledger's batches ahead of the locks: one of them, so that they seldom decide in vain.

Nothing depends on it but speed: whoever was not elected posts under locks. A term is a row with an end, prolonged as
long as there is something to post: a process that dies or falls silent is followed by another within a term.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import structlog

from worker.database import Database
from worker.ledger.posting_store import elect_poster

TERM: Final = timedelta(seconds=6)
"""How long nobody decides ahead after the elected process died: posting under locks goes on meanwhile."""

CAMPAIGN: Final = timedelta(seconds=2)
"""Time between two requests for a ledger's next term: a third of it, so that two may fail."""

LEDGERS_REMEMBERED: Final = 1_000
"""Ledgers whose election this process keeps in mind; those it posted to longest ago are forgotten first."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Standing:
    """How this process stands with a ledger; times are the monotonic clock's, in seconds."""

    elected: bool
    asked_at: float


class Election:
    """This process's part in the elections of all ledgers."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._process_id = uuid4()
        self._standings: dict[UUID, _Standing] = {}
        self._requests: set[asyncio.Task[None]] = set()

    def is_won(self, ledger_id: UUID) -> bool:
        """Whether this process decides the ledger's batches ahead, by the last answer; asks for the next term in time.

        One that never asked before supposes that nobody else is there.
        """
        now = self._clock()
        standing = self._standings.pop(ledger_id, None)
        if standing is None:
            standing = _Standing(elected=True, asked_at=now)
            self._ask(ledger_id, standing)
        elif now - standing.asked_at >= CAMPAIGN.total_seconds():
            standing.asked_at = now
            self._ask(ledger_id, standing)
        self._standings[ledger_id] = standing
        if len(self._standings) > LEDGERS_REMEMBERED:
            del self._standings[next(iter(self._standings))]
        return standing.elected

    async def close(self) -> None:
        """Ask no more."""
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)

    def _ask(self, ledger_id: UUID, standing: _Standing) -> None:
        request = asyncio.create_task(self._request(ledger_id, standing))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)

    async def _request(self, ledger_id: UUID, standing: _Standing) -> None:
        try:
            async with self._database.connection() as connection:
                standing.elected = await elect_poster(connection, ledger_id, self._process_id, TERM)
        except Exception:  # whoever posts will be told; here it only costs speed
            log.warning("ledger_election_missed", ledger_id=str(ledger_id), exc_info=True)
