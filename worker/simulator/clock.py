"""Simulated time: it runs at a chosen speed, can be moved forward, and knows what is due when."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import Final

NANOSECONDS_PER_MICROSECOND: Final = 1000


class Clock:
    """Simulated time in UTC. ``monotonic_ns`` is the real clock it is driven by."""

    def __init__(self, starts_at: datetime, speed: Fraction, monotonic_ns: Callable[[], int]) -> None:
        self._starts_at = starts_at
        self._speed = speed
        self._monotonic_ns = monotonic_ns
        self._started_ns = monotonic_ns()
        self._jumped = timedelta()

    def now(self) -> datetime:
        """The simulated moment."""
        real_ns = self._monotonic_ns() - self._started_ns
        return (
            self._starts_at
            + self._jumped
            + timedelta(microseconds=int(real_ns * self._speed / NANOSECONDS_PER_MICROSECOND))
        )

    def jump_to(self, moment: datetime) -> None:
        """Moves time forward to ``moment``; a moment already passed changes nothing."""
        self._jumped += max(moment - self.now(), timedelta())

    def real_seconds(self, span: timedelta) -> float:
        """How long a simulated span takes on the wall, in seconds."""
        return span.total_seconds() / float(self._speed)


class Timetable:
    """Actions due at simulated moments, run in the order they fall due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        """Has ``action`` run ``delay`` of simulated time from now."""
        heapq.heappush(self._due, (self._clock.now() + delay, next(self._order), action))
        self._changed.set()

    def clear(self) -> None:
        """Forgets everything that was due."""
        self._due.clear()

    async def run(self) -> None:
        """Runs what falls due until cancelled."""
        while True:
            self._changed.clear()
            self._run_until(self._clock.now())
            wait = self._clock.real_seconds(self._due[0][0] - self._clock.now()) if self._due else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    async def advance(self, by: timedelta, settle: Callable[[], Awaitable[None]]) -> None:
        """Moves time forward by ``by``, stopping at every due action; ``settle`` is awaited after each."""
        target = self._clock.now() + by
        while self._due and self._due[0][0] <= target:
            self._clock.jump_to(self._due[0][0])
            self._run_until(self._clock.now())
            await settle()
        self._clock.jump_to(target)
        self._changed.set()

    def _run_until(self, moment: datetime) -> None:
        while self._due and self._due[0][0] <= moment:
            _, _, action = heapq.heappop(self._due)
            action()
