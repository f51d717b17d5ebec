"""Codat's ``query`` and ``orderBy`` parameters.

A query is comparisons joined by ``&&`` and ``||`` (``&&`` binds tighter) and grouped by ``{ }``. A comparison is a
dotted field, one of ``=  !=  ~  >  <  >=  <=``, and a bare value. Codat leaves the case of text unsaid; its examples
write ``status=paid`` for ``Paid``, so text compares without case here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MAX_QUERY_LENGTH: Final = 2048
"""Characters of ``query`` Codat accepts."""

Predicate = Callable[[Mapping[str, Any]], bool]

_TOKEN: Final = re.compile(r"\s*(\{|\}|&&|\|\|)\s*")
_COMPARISON: Final = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(!=|>=|<=|=|~|>|<)\s*(.*?)\s*", re.DOTALL)


class QueryError(ValueError):
    """A query that cannot be read; the message says where."""


def compile_query(text: str) -> Predicate:
    """The predicate a query describes (everything, for an empty one); raises :class:`QueryError`."""
    if len(text) > MAX_QUERY_LENGTH:
        raise QueryError(f"query must be at most {MAX_QUERY_LENGTH} characters.")
    if not text.strip():
        return lambda _: True
    tokens = [token for token in _TOKEN.split(text) if token.strip()]
    predicate, rest = _either(tokens)
    if rest:
        raise QueryError(f"query has an unexpected '{rest[0]}'.")
    return predicate


def sort_records(records: Sequence[dict[str, Any]], order_by: str) -> list[dict[str, Any]]:
    """Records ordered by a dotted field, descending when it is prefixed with ``-``; missing values come first."""
    field = order_by.strip()
    if not field:
        return list(records)
    descending = field.startswith("-")
    return sorted(records, key=lambda record: _sort_key(record, field.removeprefix("-")), reverse=descending)


def _either(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, rest = _both(tokens)
    while rest and rest[0] == "||":
        right, rest = _both(rest[1:])
        left = _any_of(left, right)
    return left, rest


def _both(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, rest = _term(tokens)
    while rest and rest[0] == "&&":
        right, rest = _term(rest[1:])
        left = _all_of(left, right)
    return left, rest


def _any_of(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) or right(record)


def _all_of(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) and right(record)


def _term(tokens: list[str]) -> tuple[Predicate, list[str]]:
    if not tokens:
        raise QueryError("query ends where a comparison was expected.")
    if tokens[0] != "{":
        return _comparison(tokens[0]), tokens[1:]
    inner, rest = _either(tokens[1:])
    if not rest or rest[0] != "}":
        raise QueryError("query has a '{' without its '}'.")
    return inner, rest[1:]


def _comparison(text: str) -> Predicate:
    parts = _COMPARISON.fullmatch(text)
    if parts is None:
        raise QueryError(f"query part '{text}' is not a comparison.")
    field, operator, wanted = parts.groups()
    if operator == "!=":
        return lambda record: not any(_holds(value, "=", wanted) for value in _values(record, field))
    return lambda record: any(_holds(value, operator, wanted) for value in _values(record, field))


def _values(record: object, field: str) -> Iterator[object]:
    if isinstance(record, list):
        for item in record:
            yield from _values(item, field)
    elif not field:
        yield record
    elif isinstance(record, dict):
        head, _, tail = field.partition(".")
        yield from _values(next((v for k, v in record.items() if k.casefold() == head.casefold()), None), tail)


def _holds(value: object, operator: str, wanted: str) -> bool:
    if value is None:
        return False
    if operator == "~":
        return isinstance(value, str) and wanted.casefold() in value.casefold()
    left, right = _comparable(value, wanted)
    if operator == "=":
        return bool(left == right)
    if isinstance(value, bool) or not isinstance(left, Decimal | datetime):
        raise QueryError(f"query compares '{wanted}' by size, which only numbers and dates allow.")
    match operator:
        case ">":
            return bool(left > right)
        case "<":
            return bool(left < right)
        case ">=":
            return bool(left >= right)
        case _:
            return bool(left <= right)


def _comparable(value: object, wanted: str) -> tuple[Any, Any]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            return Decimal(value), Decimal(wanted)
        except InvalidOperation:
            raise QueryError(f"query compares a number with '{wanted}'.") from None
    moment, wanted_moment = _moment(value), _moment(wanted)
    if moment is not None and wanted_moment is not None:
        return moment, wanted_moment
    return str(value).casefold(), wanted.casefold()


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}", value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sort_key(record: dict[str, Any], field: str) -> tuple[int, Any]:
    value = next(_values(record, field), None)
    match value:
        case None:
            return 0, ""
        case bool():
            return 1, str(value)
        case int() | Decimal():
            return 2, Decimal(value)
        case _:
            return 3, str(value).casefold()
