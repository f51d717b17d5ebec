"""Codat's three limits: a daily quota for the client, a rate for each address, and requests in flight per company."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Final

from worker.simulator.wire import CodatError, stamp

QUOTA_PER_COMPANY: Final = 1000
"""Requests a day for the client, and again for each connected company."""

_MINUTE: Final = timedelta(minutes=1)
_MOMENT: Final = timedelta(seconds=1)


class RateLimitedError(CodatError):
    """A 429; ``retry_after`` is in simulated time."""

    def __init__(self, error: str, retry_after: timedelta) -> None:
        super().__init__(HTTPStatus.TOO_MANY_REQUESTS, error)
        self.retry_after = retry_after


@dataclass(slots=True)
class Limits:
    """Counts requests in simulated time.

    ``quota`` is asked at each request, as companies connect and disconnect; ``exhausted`` is told when the last one of
    a day is spent.
    """

    now: Callable[[], datetime]
    quota: Callable[[], int]
    exhausted: Callable[[], None]
    per_minute: int
    in_flight: int
    _day: date | None = None
    _used: int = 0
    _recent: dict[str, deque[datetime]] = field(default_factory=dict)
    _flying: Counter[str] = field(default_factory=Counter)

    def admit(self, address: str) -> None:
        """Counts a request; raises :class:`RateLimitedError` instead when a limit is reached."""
        now = self.now()
        if self._day != now.date():
            self._day, self._used = now.date(), 0
        if self._used >= self.quota():
            raise RateLimitedError("The daily quota of requests is used up.", self.resets_at() - now)
        recent = self._recent.setdefault(address, deque())
        while recent and recent[0] <= now - _MINUTE:
            recent.popleft()
        if len(recent) >= self.per_minute:
            raise RateLimitedError("Too many requests from this address.", recent[0] + _MINUTE - now)
        recent.append(now)
        self._used += 1
        if self._used == self.quota():
            self.exhausted()

    @contextmanager
    def flight(self, company_id: str) -> Iterator[None]:
        """Holds one of the company's places; raises :class:`RateLimitedError` when all are taken.

        Requests about no company (an empty id) are not counted.
        """
        if company_id and self._flying[company_id] >= self.in_flight:
            raise RateLimitedError("Too many requests in flight for this company.", _MOMENT)
        self._flying[company_id] += 1
        try:
            yield
        finally:
            self._flying[company_id] -= 1

    def headers(self) -> dict[str, str]:
        """The quota as every response shows it."""
        limit = self.quota()
        return {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(max(limit - self._used, 0)),
            "X-Rate-Limit-Reset": stamp(self.resets_at()),
        }

    def resets_at(self) -> datetime:
        """When the quota is whole again."""
        midnight = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
