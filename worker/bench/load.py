"""A closed loop: callers that each wait for the answer before they ask again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from worker.bench.figures import Figures, Window, figures
from worker.bench.processes import Meter
from worker.bench.workload import Disbursement
from worker.errors import UsageError

WARM_UP_SECONDS: Final = 0.4
"""Not counted: connections open, statements are prepared, batches find their size."""

Post: TypeAlias = Callable[[Disbursement], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """How hard to press, and for how long."""

    callers: int
    seconds: float


async def press(post: Post, draw: Callable[[], Disbursement], load: Load, meter: Meter) -> Figures:
    """Have the callers post until the time is over, and tell what ended within it.

    Raises whatever ``post`` raises, and :class:`~worker.errors.UsageError` when nothing ended in time.
    """
    callers = _Callers(post, draw)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(load.callers):
                group.create_task(callers.call())
            await asyncio.sleep(WARM_UP_SECONDS)
            server, client, begun = meter.server(), meter.own(), time.perf_counter()
            callers.latencies.clear()
            await asyncio.sleep(load.seconds)
            latencies = callers.latencies.copy()
            window = _since(begun, server, client, meter)
            callers.stopped = True
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return outcome(latencies, load, window)


def outcome(latencies: Sequence[float], load: Load, window: Window) -> Figures:
    """The figures of what ended within a window; raises :class:`~worker.errors.UsageError` when nothing did."""
    if not latencies:
        raise UsageError(f"--seconds {load.seconds} is too short: nothing was posted in it")
    return figures(latencies, window)


class _Callers:
    def __init__(self, post: Post, draw: Callable[[], Disbursement]) -> None:
        self._post = post
        self._draw = draw
        self.latencies: list[float] = []
        self.stopped = False

    async def call(self) -> None:
        while not self.stopped:
            disbursement = self._draw()
            begun = time.perf_counter()
            await self._post(disbursement)
            self.latencies.append(time.perf_counter() - begun)


def _since(begun: float, server: float | None, client: float, meter: Meter) -> Window:
    seconds, spent, now = time.perf_counter() - begun, meter.own() - client, meter.server()
    return Window(seconds, None if server is None or now is None else now - server, spent)
