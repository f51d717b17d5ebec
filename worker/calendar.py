"""The days the books may speak of; a loan event takes fewer (:mod:`worker.loans.fields`).

All business lies within them. Outside lie the moments by which programs mean none (Go's zero time is the first of the
year 1), and those that leave the calendar in another time zone, or with the day before or after.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(9998, 12, 31)

DAYS: Final = f"from {FIRST_DAY} to {LAST_DAY}"
"""The range in words, for refusals."""

_BEGINNING: Final = datetime.combine(FIRST_DAY, time(), UTC)
_END: Final = datetime.combine(LAST_DAY + timedelta(days=1), time(), UTC)


def has_day(day: date) -> bool:
    """Whether the books may speak of a day."""
    return FIRST_DAY <= day <= LAST_DAY


def has_moment(moment: datetime) -> bool:
    """Whether a moment, whose offset is known, is on one of the days in UTC; the tables refuse any other as well."""
    return _BEGINNING <= moment < _END
