"""Places for requests under way: at most so many per company over all replicas together.

A place is an advisory lock of the process's gate session. It is kept a moment after use, because a writeback asks
several things of the same company in a row, and then given back together with other idle ones.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Final
from uuid import UUID

from worker.codat import store
from worker.codat.gate_session import GateSession
from worker.database import Connection
from worker.errors import DatabaseUnavailable

LINGER_SECONDS: Final = 0.5
"""How long an idle place is kept: longer than the pause between two steps of a saga, too short for others to mind."""

POLL_SECONDS: Final = 0.1
"""How often a company's places are tried again while other processes hold all of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place in use. It is worth nothing once its session is gone."""

    company: int
    number: int
    generation: int


@dataclass(slots=True)
class _CompanyPlaces:
    in_flight: int = 0
    busy: set[int] = field(default_factory=set)
    idle: dict[int, float] = field(default_factory=dict)
    freed: asyncio.Event = field(default_factory=asyncio.Event)


class Places:
    """This process's share of every company's places."""

    def __init__(self, session: GateSession, per_company: int) -> None:
        self._session = session
        self._per_company = per_company
        self._generation = session.generation
        self._companies: defaultdict[int, _CompanyPlaces] = defaultdict(_CompanyPlaces)
        self._sweeper: asyncio.Task[None] | None = None

    async def take(self, company_id: UUID, deadline: float) -> Place | None:
        """A place, or None when none came free before ``deadline`` (the loop's clock).

        Raises :class:`~worker.errors.DatabaseUnavailable`. A session lost with requests under way takes their locks
        with it; they still count here, so one process alone never exceeds the limit.
        """
        company = _lock_key(company_id)
        while True:
            self._forget_lost_session()
            mine = self._companies[company]
            if mine.idle and mine.in_flight < self._per_company:
                return self._occupy(company, mine)
            if not mine.idle and mine.in_flight < self._per_company:
                # Shielded: a place locked for a caller who has gone is simply idle.
                await asyncio.shield(asyncio.ensure_future(self._grow(company)))
                if self._companies[company].idle:
                    continue
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            await _wait(self._companies[company].freed, min(POLL_SECONDS, left))

    def give_back(self, place: Place) -> None:
        """The request is over; its place stays with this process a moment longer."""
        mine = self._companies[place.company]
        mine.in_flight -= 1
        if place.generation == self._session.generation == self._generation:
            mine.busy.discard(place.number)
            mine.idle[place.number] = asyncio.get_running_loop().time()
            self._start_sweeping()
        mine.freed.set()

    async def close(self) -> None:
        """Stop giving back idle places; the session's end gives back all."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    def _occupy(self, company: int, mine: _CompanyPlaces) -> Place:
        number, _ = mine.idle.popitem()
        mine.busy.add(number)
        mine.in_flight += 1
        return Place(company, number, self._generation)

    async def _grow(self, company: int) -> None:
        async def take_another(connection: Connection) -> int | None:
            self._forget_lost_session()
            mine = self._companies[company]
            return await store.take_place(connection, company, self._per_company, [*mine.busy, *mine.idle])

        number = await self._session.run(take_another)
        if number is not None:
            self._companies[company].idle[number] = asyncio.get_running_loop().time()
            self._start_sweeping()

    def _forget_lost_session(self) -> None:
        if self._generation == self._session.generation:
            return
        self._generation = self._session.generation
        for mine in self._companies.values():
            mine.busy.clear()
            mine.idle.clear()

    def _start_sweeping(self) -> None:
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        while any(mine.idle for mine in self._companies.values()):
            await asyncio.sleep(LINGER_SECONDS)
            self._forget_lost_session()
            if places := self._remove_idle(asyncio.get_running_loop().time() - LINGER_SECONDS):
                try:
                    await self._session.run(partial(store.give_back_places, places=places))
                except DatabaseUnavailable:
                    return  # the session is gone and its locks with it

    def _remove_idle(self, since: float) -> list[tuple[int, int]]:
        removed = []
        for company, mine in list(self._companies.items()):
            for number in [number for number, at in mine.idle.items() if at <= since]:
                del mine.idle[number]
                removed.append((company, number))
            if not (mine.in_flight or mine.idle):
                del self._companies[company]
        return removed


def _lock_key(company_id: UUID) -> int:
    # Two companies that share a key by chance share their places: slower, never wrong.
    return int.from_bytes(blake2b(company_id.bytes, digest_size=4).digest(), "big", signed=True)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    event.clear()
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
