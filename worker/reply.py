"""A reply of a foreign system as it came over the wire, and how long it asks to be left alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

RETRY_AFTER_UNSTATED: Final = timedelta(seconds=10)
"""Wait after a 429 that does not say how long: a per-minute limit has mostly passed after a few of these."""

RETRY_AFTER_SHORTEST: Final = timedelta(seconds=1)
"""Shortest wait after a 429, also when it says zero or names a time already past."""

RETRY_AFTER_LONGEST: Final = timedelta(hours=1)
"""Longest wait believed; an absurd one would otherwise stop everything, and one request an hour costs nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over the wire. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long to wait after a 429: seconds or an HTTP date, within reason whatever the header says."""
    stated = _stated_wait(headers, now)
    if stated is None:
        return RETRY_AFTER_UNSTATED
    return min(max(stated, RETRY_AFTER_SHORTEST), RETRY_AFTER_LONGEST)


def _stated_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.lstrip("+-").isdecimal():
        # Long numbers are cut before they are read: they all mean "absurdly long".
        return timedelta(seconds=int(text[:9]))
    until = http_date(text)
    # The other side's own clock, where it tells it, so that a wrong clock here does not matter.
    return until - (http_date(headers.get("date", "")) or now) if until is not None else None


def http_date(text: str) -> datetime | None:
    """The moment an HTTP header names, or None when it names none."""
    try:
        return in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, which it is taken for without an offset.

    Raises :class:`OverflowError` where the calendar ends before: no database takes such a moment either.
    """
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
