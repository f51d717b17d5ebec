"""JSON as foreign systems speak it, without loss: amounts are exact numbers in both directions, never binary floats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from worker.errors import WritebackError
from worker.reply import in_utc

JsonValue: TypeAlias = "bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


class UnreadableReplyError(WritebackError):
    """A reply's body is no JSON document, or not the kind of document its endpoint promises."""


def encode_body(document: Mapping[str, object]) -> bytes:
    """Compact JSON with keys in the order given: the same document is the same bytes."""
    return _ENCODER.encode(document)


def decode_json(body: bytes) -> JsonValue:
    """Any JSON document, numbers as ``int`` or :class:`Decimal`; raises :class:`UnreadableReplyError`."""
    try:
        value: JsonValue = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, InvalidOperation, UnicodeDecodeError) as error:
        raise UnreadableReplyError(f"the reply is not JSON: {type(error).__name__}") from error
    return value


def decode_object(body: bytes) -> JsonObject:
    """A JSON object; raises :class:`UnreadableReplyError` for anything else."""
    value = decode_json(body)
    if not isinstance(value, dict):
        raise UnreadableReplyError("the reply is not a JSON object")
    return value


def text(document: Mapping[str, JsonValue], name: str) -> str | None:
    """The named string, or None when it is absent, null, empty or of another type (ids may come as numbers).

    NUL, which PostgreSQL cannot store and no platform means, is taken out.
    """
    value = document.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.replace("\x00", "") or None) if isinstance(value, str) else None


def number(document: Mapping[str, JsonValue], name: str) -> Decimal | None:
    """The named number exactly, or None when it is absent or no number."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def child(document: Mapping[str, JsonValue], name: str) -> JsonObject:
    """The named object, or an empty one."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def children(document: Mapping[str, JsonValue], name: str) -> list[JsonObject]:
    """The objects of the named array, or none. Anything in it that is no object is passed over."""
    value = document.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def identifier(document: Mapping[str, JsonValue], name: str) -> UUID | None:
    """The named UUID, or None when it is absent or malformed."""
    value = text(document, name)
    try:
        return UUID(value) if value is not None else None
    except ValueError:
        return None


def moment(document: Mapping[str, JsonValue], name: str) -> datetime | None:
    """The named time in UTC, which it is taken for when it carries no offset; None when it is absent or malformed."""
    value = text(document, name)
    try:
        read = datetime.fromisoformat(value) if value is not None else None
        return in_utc(read) if read is not None else None
    except (ValueError, OverflowError):
        return None


def calendar_day(document: Mapping[str, JsonValue], name: str) -> date | None:
    """The calendar day the named date or time is written with; a zone is not applied, platforms lose it anyway."""
    value = text(document, name)
    try:
        return date.fromisoformat(value[:10]) if value is not None else None
    except ValueError:
        return None
