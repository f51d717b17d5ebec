"""Times as callers write them, and as answers show them. Pure.

A day alone is its midnight, a time without an offset is UTC, and a space may stand for the ``T``: the official client
writes ``2024-01-01 00:00:00+00:00`` inside filters. Finer than microseconds is refused instead of rounded,
and so is what lies outside the days the books may speak of.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from worker.calendar import DAYS, has_moment
from worker.ledger.book import midnight

SMALLEST_STEP: Final = timedelta(microseconds=1)
"""What PostgreSQL's and Python's timestamps are counted in: it turns *after* into *from* without loss."""

MOMENT: Final = f"an ISO 8601 time {DAYS} (UTC)"
"""What :func:`read_moment` takes, in words."""

DAY: Final = f"a date as YYYY-MM-DD {DAYS}"
"""What :func:`read_day` takes, in words."""

# A blank before an offset is a plus sign that was sent as it is: form encoding reads it as a blank.
_MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt ](?P<time>\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?)"
    r" ?(?:(?P<utc>[Zz])|(?P<sign>[+\- ]?)(?P<hours>\d{2}):?(?P<minutes>\d{2})?)?)?",
    re.ASCII,
)


def read_moment(text: str) -> datetime | None:
    """The moment in UTC, None when the text is none, or none the books may speak of."""
    if (match := _MOMENT.fullmatch(text)) is None:
        return None
    offset = "+00:00"
    if match["hours"]:
        offset = f"{'-' if match['sign'] == '-' else '+'}{match['hours']}:{match['minutes'] or '00'}"
    time = (match["time"] or "00:00").replace(",", ".")
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{time}{offset}")
    except ValueError:
        return None
    return moment.astimezone(UTC) if has_moment(moment) else None


def read_day(text: str) -> date | None:
    """A business day; of a whole moment it is the day in UTC."""
    moment = read_moment(text)
    return None if moment is None else moment.date()


def day_after(day: date) -> datetime:
    """The moment a business day has ended."""
    return midnight(day + timedelta(days=1))


def show(moment: datetime) -> str:
    """A moment as answers write it: ISO 8601 in UTC, microseconds only when there are any."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def show_optional(moment: datetime | None) -> str | None:
    """A moment that may not have come."""
    return None if moment is None else show(moment)
