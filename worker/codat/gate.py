"""The gate every request to Codat passes, shared by all replicas through PostgreSQL.

Codat allows ten requests under way per connected company and a thousand a minute per address, and says 429 for a while
when it has had enough. A request waits here a few seconds at most; a longer wait is given back as a time to come again,
because waiting for longer is the queue's work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from worker.codat import store
from worker.codat.gate_session import GateSession
from worker.codat.places import Places
from worker.codat.quota import Quota
from worker.codat.store import Window
from worker.database import Connection, Database

REQUESTS_PER_MINUTE: Final = 1_000
"""Codat's documented ceiling per address, above which it may block without a word."""

IN_FLIGHT_PER_COMPANY: Final = 10
"""Codat's documented concurrency for each active connected company."""

SLICE: Final = timedelta(seconds=5)
"""Requests are counted in slices this long; finer ones would make more rows, coarser ones would waste allowance."""

BLOCK_LIFETIME: Final = timedelta(seconds=1)
"""How long requests taken in a block may be used. Unused ones are lost, so that none is saved up for a later minute."""

LARGEST_BLOCK: Final = 16
"""Requests taken at once by a busy process: one round trip for sixteen requests, and at most 1.6 % of a minute lost."""

PATIENCE: Final = timedelta(seconds=3)
"""Longest wait inside the gate: shorter than a job's lease, and cheaper than scheduling the job again."""

CROWDED_RETRY: Final = timedelta(seconds=2)
"""When to come again if the company's places stayed taken: they change hands about once a second."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much Codat allows; tests narrow it, the product does not."""

    in_flight_per_company: int = IN_FLIGHT_PER_COMPANY
    requests_per_window: int = REQUESTS_PER_MINUTE
    window: timedelta = timedelta(minutes=1)
    patience: timedelta = PATIENCE

    @property
    def counted(self) -> Window:
        """What is counted: whole slices, plus the time a request may be kept ready, so no real window sees more."""
        return Window(self.requests_per_window, self.window + SLICE + BLOCK_LIFETIME, SLICE)


class Gate:
    """This process's door to Codat. Nothing here is done inside a database transaction."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._session = GateSession(database)
        self._places = Places(self._session, self._limits.in_flight_per_company)
        self._refill = asyncio.Lock()
        self._ready = 0
        self._ready_until = 0.0
        self._block = 1
        self._quota: Quota | None = None
        self._untold_quota: Quota | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, limits: Limits | None = None) -> AsyncIterator[Gate]:
        """A gate whose places are given back on exit."""
        gate = cls(database, limits)
        try:
            yield gate
        finally:
            await gate._places.close()
            await gate._session.close()

    @property
    def quota(self) -> Quota | None:
        """Codat's daily quota, as the last reply this process saw told it."""
        return self._quota

    @asynccontextmanager
    async def admit(self, company_id: UUID) -> AsyncIterator[timedelta | None]:
        """A block inside which one request may be under way; it yields a time to wait instead when none may.

        Raises :class:`~worker.errors.DatabaseUnavailable`: without the shared count nobody asks Codat anything.
        """
        deadline = self._now() + self._limits.patience.total_seconds()
        place = await self._places.take(company_id, deadline)
        if place is None:
            yield CROWDED_RETRY
            return
        try:
            yield await self._take_request(deadline)
        finally:
            self._places.give_back(place)

    async def close_for(self, duration: timedelta) -> None:
        """Codat said 429: nobody, in any replica, asks again for so long (an hour at most)."""
        self._ready = 0
        await self._session.run(lambda connection: store.close_gate_for(connection, duration))

    async def observe(self, quota: Quota) -> None:
        """Remember what a reply said about the daily quota; one that is used up closes the gate until it resets."""
        self._quota = self._untold_quota = quota
        if quota.remaining == 0 and quota.resets_at is not None:
            left = quota.resets_at - datetime.now(UTC)
            if left > timedelta(0):
                await self.close_for(left)

    async def _take_request(self, deadline: float) -> timedelta | None:
        while True:
            if self._ready > 0 and self._now() < self._ready_until:
                self._ready -= 1
                return None
            wait = await asyncio.shield(asyncio.ensure_future(self._fetch_block()))
            if wait is None:
                continue
            if self._now() + wait.total_seconds() > deadline:
                return wait
            await asyncio.sleep(wait.total_seconds())

    async def _fetch_block(self) -> timedelta | None:
        """Take the next block, larger after one that was used up in time; or the time until there is one."""
        async with self._refill:
            now = self._now()
            if self._ready > 0 and now < self._ready_until:
                return None  # somebody else fetched one meanwhile
            busy = now < self._ready_until
            self._block = min(self._block * 2, LARGEST_BLOCK) if busy else 1
            grant = await self._session.run(self._take_from_window)
            if grant.granted:
                self._ready, self._ready_until = grant.granted, self._now() + BLOCK_LIFETIME.total_seconds()
                return None
            return max(grant.retry_after, timedelta(milliseconds=1))

    async def _take_from_window(self, connection: Connection) -> store.Grant:
        told, self._untold_quota = self._untold_quota, None
        return await store.take_requests(connection, self._block, self._limits.counted, told)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
