"""What a request asks for: filters, pages, days and row numbers out of its texts, or a refusal naming the field. Pure.

A parameter nobody knows is refused too: a misspelt filter must not answer as if there were none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from worker.calendar import DAYS, has_day
from worker.errors import Rejected
from worker.operations.views import DEFAULT_LIMIT, MAX_LIMIT, Page

PAGING: Final = ("limit", "after")
"""Parameters of every list."""

MAX_ID_DIGITS: Final = 18
"""Digits of a row's number: every such number fits PostgreSQL's bigint."""

MAX_TEXT: Final = 200
"""Characters of a filter: twice the longest id the loan system may send."""

MAX_SENTENCES: Final = 500
"""Characters a person may write: a few sentences."""

Choice = TypeVar("Choice", bound=StrEnum)


class Parameters:
    """The parameters of one request; raises :class:`~worker.errors.Rejected` (400) for one that is not ``known``."""

    def __init__(self, given: Iterable[tuple[str, str]], *known: str) -> None:
        self._given: dict[str, str] = {}
        for name, value in given:
            if name not in known:
                words = f"must be one of {', '.join(known)}" if known else "none are taken here"
                raise Rejected(400, f"is no parameter of this path: {words}", field=_shown(name))
            if name in self._given:
                raise Rejected(400, "may be given only once", field=name)
            self._given[name] = value

    def text(self, name: str) -> str | None:
        """A parameter as text, None when it is not given."""
        value = self._given.get(name)
        if value is not None and not (0 < len(value) <= MAX_TEXT and value.isprintable()):
            raise Rejected(400, f"must be 1 to {MAX_TEXT} printable characters", field=name)
        return value

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """A parameter as one of an enumeration's words, None when it is not given."""
        value = self._given.get(name)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            raise Rejected(400, f"must be one of {', '.join(choices)}", field=name) from None

    def day(self, name: str) -> date | None:
        """A parameter as a business day, None when it is not given."""
        value = self._given.get(name)
        return None if value is None else read_day(value, name)

    def required_day(self, name: str) -> date:
        """A parameter as a business day."""
        if (day := self.day(name)) is None:
            raise Rejected(400, "is required: a business day as YYYY-MM-DD", field=name)
        return day

    def page(self) -> Page[int]:
        """The page of a list whose keys are numbers."""
        after = self._given.get("after")
        return Page(None if after is None else read_number(after, "after"), self._limit())

    def page_of_names(self) -> Page[str]:
        """The page of a list whose keys are texts."""
        return Page(self.text("after"), self._limit())

    def _limit(self) -> int:
        return read_limit(self._given.get("limit", str(DEFAULT_LIMIT)), "limit")


def read_number(text: str, field: str) -> int:
    """A whole number; raises :class:`~worker.errors.Rejected` (400) for anything else, or one no row can have."""
    if not _is_number(text):
        raise Rejected(400, "must be a whole number", field=field)
    return int(text)


def read_limit(text: str, field: str) -> int:
    """How many rows; raises :class:`~worker.errors.Rejected` (400) for none or more than a page may have."""
    limit = read_number(text, field)
    if not 1 <= limit <= MAX_LIMIT:
        raise Rejected(400, f"must be from 1 to {MAX_LIMIT}", field=field)
    return limit


def read_text(value: object, field: str) -> str:
    """What a person wrote; raises :class:`~worker.errors.Rejected` (400) unless it is a short printable text."""
    if type(value) is not str or not 1 <= len(value.strip()) <= MAX_SENTENCES or not value.isprintable():
        raise Rejected(400, f"is required: a printable text of 1 to {MAX_SENTENCES} characters", field=field)
    return value.strip()


def read_day(text: str, field: str) -> date:
    """A business day; raises :class:`~worker.errors.Rejected` (400) unless it is a ``YYYY-MM-DD`` of the calendar."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text or not has_day(day):
        raise Rejected(400, f"must be a business day as YYYY-MM-DD {DAYS}", field=field)
    return day


def read_id(text: str, noun: str) -> int:
    """The number of a row out of a path; raises :class:`~worker.errors.Rejected` (404) for what cannot be one."""
    if not _is_number(text):
        raise Rejected(404, f"there is no {noun} {_shown(text)}", code="not_found")
    return int(text)


def read_name(text: str, noun: str) -> str:
    """An id out of a path; raises :class:`~worker.errors.Rejected` (404) for what no id may contain."""
    if not text.isprintable():
        raise Rejected(404, f"there is no {noun} {_shown(text)}", code="not_found")
    return text


def require_period(first: date, last: date) -> None:
    """Raise :class:`~worker.errors.Rejected` (400) for a period that ends before it begins."""
    if last < first:
        raise Rejected(400, "must not be before the first day", field="to")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS


def _shown(text: str) -> str:
    return text[:MAX_TEXT] if text.isprintable() else ascii(text[:MAX_TEXT])
