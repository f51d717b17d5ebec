"""Codat's options models: what a connection demands of a record, and what of it a program can check. Pure.

A model is a tree of properties; those of an array's items stand directly below the array. Limits are sentences, so only
sentences of a known form are checked, and whatever is not understood is left to the accounting platform. Fields outside
the model are ignored by Codat and are no violation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from worker import wire
from worker.wire import JsonObject

MOST_CHOICES_SHOWN: Final = 300
"""Choices a complaint lists: QuickBooks Online has 276 account categories, and one of them has to be chosen."""

_LONGEST: Final = re.compile(
    r"(?:max(?:imum)? (?:length )?of|at most|no (?:greater|more|longer) than|not be longer than|between \d+ and)"
    r" (\d+) characters(?! if\b)",
    re.I,
)
_NUMBER: Final = re.compile(r"\bnumber (?:between|from) (\d+) (?:and|to) (\d+)\b", re.I)
_BASE_CURRENCY: Final = re.compile(r"\b(?:match|has to be|must be)\b[^.]*\bbase currency\b", re.I)


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the body, by its path in Codat's names, and what the platform wants of it."""

    path: str
    words: str


def violations(model: JsonObject, body: JsonObject, base_currency: str | None) -> list[Violation]:
    """What the connection will refuse in ``body``. ``base_currency`` is the company's, None where it is not known."""
    return list(_violations(model, body, base_currency, ""))


def requires(model: JsonObject, *path: str) -> bool:
    """Whether every field along the path has to be sent. A path the model does not spell out is not required."""
    for name in path:
        model = wire.child(wire.child(model, "properties"), name)
        if model.get("required") is not True:
            return False
    return True


def choices(model: JsonObject, *path: str) -> list[str]:
    """The values the field takes; none where it takes any."""
    for name in path:
        model = wire.child(wire.child(model, "properties"), name)
    values = (wire.text(option, "value") for option in wire.children(model, "options"))
    return [value for value in values if value is not None]


def _violations(model: JsonObject, body: JsonObject, base_currency: str | None, prefix: str) -> Iterator[Violation]:
    properties = wire.child(model, "properties")
    for name in properties:
        rules, value = wire.child(properties, name), body.get(name)
        if value is None or value in ("", []):
            if rules.get("required") is True:
                yield Violation(prefix + name, "is required" + _one_of(choices(rules)))
            continue
        if isinstance(value, str):
            yield from (Violation(prefix + name, words) for words in _complaints(rules, value, base_currency))
        for item in [value] if isinstance(value, dict) else wire.children(body, name):
            yield from _violations(rules, item, base_currency, f"{prefix}{name}.")


def _complaints(rules: JsonObject, value: str, base_currency: str | None) -> Iterator[str]:
    allowed = choices(rules)
    if allowed and value.casefold() not in {choice.casefold() for choice in allowed}:
        yield f"is {value}, and has to be{_one_of(allowed).removeprefix(':')}"
    for details in _details(rules):
        if (limit := _LONGEST.search(details)) and len(value) > int(limit[1]):
            yield f"has {len(value)} characters, {limit[1]} are kept at most"
        if (span := _NUMBER.search(details)) and not _is_within(value, int(span[1]), int(span[2])):
            yield f"has to be a number from {span[1]} to {span[2]}"
        if base_currency is not None and value != base_currency and _BASE_CURRENCY.search(details):
            yield f"is {value}, and has to be the company's base currency {base_currency}"


def _details(rules: JsonObject) -> Iterator[str]:
    validation = wire.child(rules, "validation")
    for item in wire.children(validation, "warnings") + wire.children(validation, "information"):
        if (details := wire.text(item, "details")) is not None:
            yield details


def _is_within(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most


def _one_of(values: list[str]) -> str:
    if not values:
        return ""
    shown = ", ".join(values[:MOST_CHOICES_SHOWN])
    return f": one of {shown}" + (
        f" and {len(values) - MOST_CHOICES_SHOWN} more" if values[MOST_CHOICES_SHOWN:] else ""
    )
