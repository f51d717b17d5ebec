"""What a list is asked for, out of the parameters of its URL. Pure.

Every reader takes its parameter away; what is left when the query is finished is nobody's and refused: a misspelt
filter must not answer as if there were none. Maps are spelt ``name[key]=``, arrays ``name[]=``. A range of whole things
becomes a lower bound that is included and an upper one that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, TypeVar, assert_never
from uuid import UUID

from worker.api.moments import DAY, MOMENT, SMALLEST_STEP, day_after, read_day, read_moment
from worker.api.refusals import invalid
from worker.api.texts import read_uuid, read_whole, shorten
from worker.ledger.book import midnight

DEFAULT_PAGE: Final = 25
"""Rows of a page when the caller does not say."""

LARGEST_PAGE: Final = 100
"""Rows of a page at most, whatever the caller says: Modern Treasury's limit."""

MAX_LIST: Final = 100
"""Values of one array: as many ids as a page can show."""

T = TypeVar("T", datetime, date, int)
Read = TypeVar("Read")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: ``size`` rows after the one whose id is ``after``."""

    size: int
    after: UUID | None

    @property
    def and_one_more(self) -> int:
        """Rows to read: the one too many tells that another page follows."""
        return self.size + 1


@dataclass(frozen=True, slots=True)
class Range(Generic[T]):
    """From ``lower`` on, up to but without ``upper``; ``unequal`` is left out."""

    lower: T | None = None
    upper: T | None = None
    unequal: T | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether it ends somewhere."""
        return self.lower is not None or self.upper is not None


class Comparison(StrEnum):
    """How a range is spelt: ``amount[gte]=5``."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NOT_EQ = "not_eq"


class WindowBound(StrEnum):
    """How a window is spelt: ``balances[as_of_date]=2026-01-31``."""

    LOWER = "effective_at_lower_bound"
    UPPER = "effective_at_upper_bound"
    MOMENT = "effective_at"
    DAY = "as_of_date"


@dataclass(frozen=True, slots=True)
class Window:
    """Which entries make up a balance, by effective time; without bounds, all of them."""

    lower: datetime | None = None
    upper: datetime | None = None


class OrderField(StrEnum):
    """What a list of transactions or entries may be ordered by."""

    CREATED_AT = "created_at"
    EFFECTIVE_AT = "effective_at"


class OrderDirection(StrEnum):
    """Which end of a list comes first."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list."""

    field: OrderField
    direction: OrderDirection


NEWEST_FIRST: Final = Order(OrderField.CREATED_AT, OrderDirection.DESC)
"""The order of a list when the caller does not say."""


class Query:
    """The parameters of one request. Readers raise :class:`~worker.errors.Rejected` (422) naming the parameter."""

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in given:
            self._given.setdefault(name, []).append(value)

    def finish(self) -> None:
        """Refuse whatever was not read."""
        for name in self._given:
            shown = shorten(name)
            raise invalid(shown, f"{shown} is not a parameter of this endpoint")

    def text(self, name: str) -> str | None:
        """A parameter as it is, None when it is not given."""
        values = self._given.pop(name, [])
        if len(values) > 1:
            raise invalid(name, f"{name} may be given only once")
        return values[0] if values else None

    def texts(self, name: str) -> list[str] | None:
        """An array, None when it is not given."""
        values = self._given.pop(f"{name}[]", None)
        if values is not None and len(values) > MAX_LIST:
            raise invalid(name, f"{name} may have at most {MAX_LIST} values")
        return values

    def uuid(self, name: str) -> UUID | None:
        """An id."""
        value = self.text(name)
        return None if value is None else _read(read_uuid, value, name, "a UUID")

    def uuids(self, name: str) -> list[UUID] | None:
        """An array of ids."""
        values = self.texts(name)
        return None if values is None else [_read(read_uuid, value, name, "a UUID") for value in values]

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """One of an enumeration's words."""
        value = self.text(name)
        return None if value is None else _choice(value, name, choices)

    def choices(self, name: str, choices: type[Choice]) -> list[Choice] | None:
        """Some of an enumeration's words, given once or as an array."""
        values, value = self.texts(name), self.text(name)
        if values is None and value is None:
            return None
        return [_choice(one, name, choices) for one in [*(values or []), *([] if value is None else [value])]]

    def flag(self, name: str) -> bool:
        """Yes or no; no when it is not given."""
        value = self.text(name)
        if value not in {None, "true", "false"}:
            raise invalid(name, f"{name} must be true or false")
        return value == "true"

    def whole(self, name: str) -> int | None:
        """A whole number."""
        value = self.text(name)
        return None if value is None else _read(read_whole, value, name, "a whole number")

    def metadata(self) -> dict[str, str] | None:
        """Pairs of metadata an object must all carry, None when there are none."""
        return self._map("metadata") or None

    def moment(self, name: str) -> datetime | None:
        """A moment."""
        value = self.text(name)
        return None if value is None else _read(read_moment, value, name, MOMENT)

    def moments(self, name: str) -> Range[datetime]:
        """A range of moments."""
        return self._range(name, lambda text: _read(read_moment, text, name, MOMENT), _next_moment)

    def days(self, name: str) -> Range[date]:
        """A range of business days."""
        return self._range(name, lambda text: _read(read_day, text, name, DAY), _next_day)

    def wholes(self, name: str) -> Range[int]:
        """A range of whole numbers."""
        return self._whole_range(name, unequal=False)

    def balance(self, name: str) -> Range[int]:
        """A range of a balance's amounts, which may leave one out."""
        return self._whole_range(name, unequal=True)

    def effective(self) -> Range[datetime]:
        """The range of ``effective_at`` and ``effective_date`` together."""
        moments, days = self.moments("effective_at"), self.days("effective_date")
        lower = [bound for bound in (moments.lower, _beginning(days.lower)) if bound]
        upper = [bound for bound in (moments.upper, _beginning(days.upper)) if bound]
        return Range(max(lower, default=None), min(upper, default=None))

    def order(self) -> Order | None:
        """The order the caller wishes for, None when any will do."""
        given = self._map("order_by")
        if not given:
            return None
        (field, direction), *others = given.items()
        if others:
            raise invalid("order_by", "order_by may name only one field")
        return Order(_choice(field, "order_by", OrderField), _choice(direction, "order_by", OrderDirection))

    def window(self, *others: str) -> Window:
        """Which entries the balances of the answer are made of.

        ``effective_at`` includes entries at that very moment, ``as_of_date`` all of that day, and
        ``effective_at_upper_bound`` ends before it. Only one of the three may be given. ``others`` are members that are
        read elsewhere.
        """
        given = {_bound(name, others): _moment(text, name) for name, text in self._map("balances").items()}
        lower = given.pop(WindowBound.LOWER, None)
        if len(given) > 1:
            raise invalid("balances", "balances may have only one upper bound")
        upper = None
        for bound, moment in given.items():
            match bound:
                case WindowBound.LOWER | WindowBound.UPPER:
                    upper = moment
                case WindowBound.MOMENT:
                    upper = moment + SMALLEST_STEP
                case WindowBound.DAY:
                    upper = day_after(moment.date())
                case _:
                    assert_never(bound)
        return Window(lower, upper)

    def page(self) -> Page:
        """Which part of the list."""
        size = self.whole("per_page")
        if size is not None and size < 1:
            raise invalid("per_page", "per_page must be at least 1")
        after = self.text("after_cursor")
        cursor = None if not after else _read(read_uuid, after, "after_cursor", "a cursor of this list")
        return Page(min(size or DEFAULT_PAGE, LARGEST_PAGE), cursor)

    def _map(self, name: str) -> dict[str, str]:
        prefix = f"{name}["
        spelt = [given for given in self._given if given.startswith(prefix) and given.endswith("]")]
        members = {given[len(prefix) : -1]: self.text(given) or "" for given in spelt}
        if "" in members:
            raise invalid(name, f"{name} needs a key between its brackets")
        return members

    def _whole_range(self, name: str, *, unequal: bool) -> Range[int]:
        def read(text: str) -> int:
            return _read(read_whole, text, name, "a whole number")

        return self._range(name, read, lambda value: value + 1, unequal=unequal)

    def _range(
        self, name: str, read: Callable[[str], T], following: Callable[[T], T], *, unequal: bool = False
    ) -> Range[T]:
        lower: list[T] = []
        upper: list[T] = []
        without: T | None = None
        for comparison, text in self._map(name).items():
            value = read(text)
            after = following(value)
            match _choice(comparison, name, Comparison):
                case Comparison.GT:
                    lower.append(after)
                case Comparison.GTE:
                    lower.append(value)
                case Comparison.LT:
                    upper.append(value)
                case Comparison.LTE:
                    upper.append(after)
                case Comparison.EQ:
                    lower.append(value)
                    upper.append(after)
                case Comparison.NOT_EQ if unequal:
                    without = value
                case Comparison.NOT_EQ:
                    raise invalid(name, f"{name} cannot be compared by {comparison}")
        return Range(max(lower, default=None), min(upper, default=None), without)


def _read(read: Callable[[str], Read | None], text: str, name: str, kind: str) -> Read:
    value = read(text)
    if value is None:
        raise invalid(name, f"{name} must be {kind}, not {shorten(text)}")
    return value


def _choice(text: str, name: str, choices: type[Choice]) -> Choice:
    try:
        return choices(text)
    except ValueError:
        raise invalid(name, f"{name} must be one of {', '.join(choices)}, not {shorten(text)}") from None


def _bound(name: str, others: Iterable[str]) -> WindowBound:
    try:
        return WindowBound(name)
    except ValueError:
        shown = f"balances[{shorten(name)}]"
        raise invalid(shown, f"{shown} must be one of {', '.join([*WindowBound, *others])} of balances") from None


def _moment(text: str, name: str) -> datetime:
    return _read(read_moment, text, f"balances[{name}]", MOMENT)


def _next_moment(moment: datetime) -> datetime:
    return moment + SMALLEST_STEP


def _next_day(day: date) -> date:
    return day + timedelta(days=1)


def _beginning(day: date | None) -> datetime | None:
    return None if day is None else midnight(day)
