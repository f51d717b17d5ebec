"""Rows turned into the columns a statement takes with ``unnest``. Pure.

A batch has thousands of cells, and handing them to the driver one by one costs more than everything else that is done
with them here. So whole numbers go as the text of an array, and what repeats in many rows goes once, with its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)


def columns(rows: Sequence[tuple[Any, ...]], width: int) -> Sequence[Sequence[Any]]:
    """The first ``width`` fields of the rows as a list per column; one with nothing in it is empty."""
    if not rows:
        return [[] for _ in range(width)]
    return [column if any(column) else _without_nothing(column) for column in list(zip(*rows, strict=True))[:width]]


def whole_numbers(numbers: Iterable[int]) -> str:
    """Whole numbers as the text of an array. Raises :class:`TypeError` for anything else: money is never rounded."""
    return "{" + ",".join(map(int.__repr__, numbers)) + "}"


def words(texts: Iterable[str]) -> str:
    """Plain words (no spaces, quotes, commas or braces) as the text of an array."""
    return "{" + ",".join(texts) + "}"


class Places(Generic[Value]):
    """Distinct values in the order they first came, and the place of each, from 1 as PostgreSQL counts."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._places = {value: place for place, value in enumerate(values, 1)}

    def of(self, values: Iterable[Value]) -> str:
        """The places of values as the text of an array; those that are new get the next places."""
        places = self._places
        return whole_numbers([places.setdefault(value, len(places) + 1) for value in values])

    @property
    def values(self) -> list[Value]:
        """The values so far, each at its place."""
        return list(self._places)


def _without_nothing(column: Sequence[Any]) -> Sequence[Any]:
    return [] if all(cell is None for cell in column) else column
