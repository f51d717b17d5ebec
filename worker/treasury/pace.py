"""How fast this process may ask Modern Treasury, and how long it has been asked to be quiet."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from worker.treasury.replies import TreasuryUnavailableError

REQUESTS_PER_SECOND: Final = 100
"""Modern Treasury's limit for a live organization. Each process keeps to it; several together are told by 429."""

LISTS_PER_SECOND: Final = 20
"""The limit of its list endpoints, within the above."""


class Pace:
    """Spaces requests evenly. Nothing is saved up: after a rest it goes on at the same speed."""

    def __init__(self, requests: int = REQUESTS_PER_SECOND, lists: int = LISTS_PER_SECOND) -> None:
        self._requests = _Beat(requests)
        self._lists = _Beat(lists)
        self._closed_until = 0.0

    async def await_turn(self, *, is_list: bool) -> None:
        """Wait for the next turn; raises :class:`TreasuryUnavailableError` at once while asked to be quiet."""
        remaining = self._closed_until - asyncio.get_running_loop().time()
        if remaining > 0:
            raise TreasuryUnavailableError(
                "Modern Treasury limits how often it may be asked", timedelta(seconds=remaining)
            )
        if is_list:
            await self._lists.next()
        await self._requests.next()

    def be_quiet(self, wait: timedelta) -> None:
        """Have no request leave for this long."""
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        self._closed_until = max(self._closed_until, until)


class _Beat:
    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    async def next(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
