"""How one field of a loan event is read: from what JSON held to what the event means, or a refusal naming the field.

A value of the wrong shape is refused with 400, a well-formed one that can never be right with 422. Readers take the
JSON value, the field's dotted path and the event's currency, whether or not they need it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from worker.errors import Rejected
from worker.money import AmountError, exponent_of, parse_minor
from worker.strict_json import Number

MAX_IDENTIFIER_CHARACTERS: Final = 100
"""Longest id: room for any system's, short enough for names, descriptions and index keys built from it."""

MAX_TEXT_CHARACTERS: Final = 500
"""Longest reason: a sentence or two for a person."""

MAX_METADATA_TEXTS: Final = 40
"""Texts of an event's metadata: the ledger keeps 50 with an object, among them those the rulebook gives it."""

MAX_INVESTORS: Final = 100
"""Investors of one loan: each is an entry in every transaction that books its interest."""

MAX_SHARE_CHARACTERS: Final = 30
"""Longest share: far finer than any agreement, and cheap to compute with."""

EARLIEST_YEAR: Final = 1970
LATEST_YEAR: Final = 2199
"""Dates outside these years are slips of the keyboard, and some cannot change time zone without overflowing."""

DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A JSON number (RFC 8259), which is also all that an amount sent as a string may be."""

SHARE: Final = re.compile(r"[01](?:\.[0-9]+)?")

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_T = TypeVar("_T", date, datetime, UUID)
_Part = TypeVar("_Part", Fraction, int)


def identifier(value: object, field: str, currency: str = "") -> str:
    """An id or kind: 1 to :data:`MAX_IDENTIFIER_CHARACTERS` printable characters."""
    text = _string(value, field)
    if not _is_key(text):
        raise wrong(field, f"must be 1 to {MAX_IDENTIFIER_CHARACTERS} printable characters")
    return text


def text(value: object, field: str, currency: str = "") -> str:
    """Words for a person: 1 to :data:`MAX_TEXT_CHARACTERS` characters, none of them control characters."""
    words = _string(value, field)
    if not _is_words(words):
        raise wrong(field, f"must be 1 to {MAX_TEXT_CHARACTERS} characters without control characters")
    return words


def one_of(value: object, field: str, allowed: Sequence[str]) -> str:
    """One of a few words."""
    word = _string(value, field)
    if word not in allowed:
        raise impossible(field, f"must be one of {', '.join(allowed)}")
    return word


def currency_code(value: object, field: str) -> str:
    """An ISO 4217 code whose minor unit is known."""
    code = _string(value, field)
    try:
        exponent_of(code)
    except AmountError:
        raise impossible(field, "must be an ISO 4217 currency code in capitals, such as GBP") from None
    return code


def amount(value: object, field: str, currency: str) -> int:
    """Minor units of a decimal amount in major units, sent as a JSON string or number; zero or more."""
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        raise wrong(field, f'must be a decimal amount such as "400.00", {_said(value)}')
    try:
        minor = parse_minor(value, currency)
    except AmountError as error:
        raise impossible(field, str(error)) from None
    if minor < 0:
        raise impossible(field, "must not be negative")
    return minor


def positive_amount(value: object, field: str, currency: str) -> int:
    """As :func:`amount`, but more than zero."""
    minor = amount(value, field, currency)
    if minor == 0:
        raise impossible(field, "must be more than zero")
    return minor


def shares(value: object, field: str) -> list[tuple[str, Fraction]]:
    """Investors and their shares, exact; each investor once, the shares at most one together."""
    named = _of_investors(value, field, "share", _share)
    if sum(share for _, share in named) > 1:
        raise impossible(field, "the shares sum to more than one")
    return named


def losses(value: object, field: str, currency: str) -> list[tuple[str, int]]:
    """Investors and what each of them bears, in minor units and more than zero; each investor once."""
    return _of_investors(value, field, "amount", lambda part, path: positive_amount(part, path, currency))


def _of_investors(
    value: object, field: str, part: str, read: Callable[[object, str], _Part]
) -> list[tuple[str, _Part]]:
    """An array of objects with an ``investor_id`` and a ``part``; each investor once."""
    if not isinstance(value, list):
        raise wrong(field, f"must be an array of investors, {_said(value)}")
    if len(value) > MAX_INVESTORS:
        raise wrong(field, f"may hold at most {MAX_INVESTORS} investors")
    named = []
    for index, item in enumerate(value):
        path = f"{field}[{index}]"
        if not isinstance(item, dict):
            raise wrong(path, f"must be an object with investor_id and {part}, {_said(item)}")
        name = identifier(required(item, "investor_id", path), f"{path}.investor_id")
        named.append((name, read(required(item, part, path), f"{path}.{part}")))
    if len({name for name, _ in named}) != len(named):
        raise impossible(field, "names an investor twice")
    return named


def _share(value: object, field: str) -> Fraction:
    if not isinstance(value, str) or len(value) > MAX_SHARE_CHARACTERS or not SHARE.fullmatch(value):
        raise wrong(field, 'must be a decimal from 0 to 1 such as "0.6"')
    if (fraction := Fraction(Decimal(value))) > 1:
        raise impossible(field, "must be at most 1")
    return fraction


def metadata(value: object, field: str, currency: str = "") -> tuple[tuple[str, str], ...]:
    """Texts to be kept with what the event writes, by key; anything else is ignored as unknown fields are."""
    if not isinstance(value, dict):
        return ()
    texts = {key: text for key, text in value.items() if isinstance(text, str) and not isinstance(text, Number)}
    kept = tuple((key, text) for key, text in texts.items() if _is_key(key) and _is_words(text))
    if len(kept) > MAX_METADATA_TEXTS:
        raise impossible(field, f"may have at most {MAX_METADATA_TEXTS} texts")
    return kept


def uuid(value: object, field: str, currency: str = "") -> UUID:
    """A UUID in its usual text form."""
    return _converted(value, field, UUID, "a UUID")


def timestamp(value: object, field: str) -> datetime:
    """An RFC 3339 date and time with its offset."""
    moment = _converted(
        value, field, datetime, "an RFC 3339 date and time with an offset, such as 2026-01-31T09:30:00Z"
    )
    if moment.tzinfo is None:
        raise wrong(field, "must say its offset from UTC, such as 2026-01-31T09:30:00Z")
    _plausible(moment.year, field)
    return moment


def calendar_date(value: object, field: str, currency: str = "") -> date:
    """A business day, ``YYYY-MM-DD``."""
    day = _converted(value, field, date, "a date such as 2026-01-31")
    _plausible(day.year, field)
    return day


def required(members: dict[str, object], name: str, parent: str = "") -> object:
    """The member's value; a missing one and ``null`` are refused alike."""
    value = members.get(name)
    if value is None:
        raise Rejected(400, "is required", field=f"{parent}.{name}" if parent else name, code="missing_field")
    return value


def wrong(field: str, message: str) -> Rejected:
    """The refusal of a value whose shape is wrong."""
    return Rejected(400, message, field=field, code="invalid_field")


def impossible(field: str, message: str) -> Rejected:
    """The refusal of a value that is well-formed and can never be right."""
    return Rejected(422, message, field=field, code="impossible_event")


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= MAX_IDENTIFIER_CHARACTERS and text.isprintable()


def _is_words(text: str) -> bool:
    return 1 <= len(text) <= MAX_TEXT_CHARACTERS and not _CONTROL.search(text)


def _string(value: object, field: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise wrong(field, f"must be a string, {_said(value)}")
    return value


def _converted(value: object, field: str, kind: type[_T], meaning: str) -> _T:
    try:
        return msgspec.convert(_string(value, field), kind)
    except msgspec.ValidationError:
        raise wrong(field, f"must be {meaning}") from None


def _plausible(year: int, field: str) -> None:
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise impossible(field, f"must be in the years {EARLIEST_YEAR} to {LATEST_YEAR}")


def _said(value: object) -> str:
    """What came instead, without repeating the sender's data."""
    match value:
        case None:
            return "not null"
        case bool():
            return "not a boolean"
        case Number():
            return "not a number" if DECIMAL.fullmatch(value) is None else "not a bare number"
        case str():
            return "not this text"
        case list():
            return "not an array"
        case _:
            return "not an object"
