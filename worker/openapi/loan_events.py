"""The loan system's events as schemas, out of the classes that say how each field is read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.loans import events, fields
from worker.loans.event_text import EventField, fields_of
from worker.loans.events import EVENT_TYPES, UNDATED, InterestRecognition, LoanWrittenOff
from worker.openapi.schemas import Schema, Schemas, nullable

_IDENTIFIER: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": fields.MAX_IDENTIFIER_CHARACTERS}

_AMOUNT: Final[Schema] = {
    "description": "Major units, exact: as a string, or as a number, which is read without loss.",
    "anyOf": [{"type": "string", "pattern": f"^(?:{fields.DECIMAL.pattern})$"}, {"type": "number"}],
}

_SHARE: Final[Schema] = {
    "description": "Of the loan's interest, exact; the rest is the lender's revenue.",
    "anyOf": [
        {"type": "string", "pattern": f"^(?:{fields.SHARE.pattern})$", "maxLength": fields.MAX_SHARE_CHARACTERS},
        {"type": "number", "minimum": 0, "maximum": 1},
    ],
}


def _of_investors(part: str, schema: Schema) -> Schema:
    """A list that says something of each investor once."""
    investor = {
        "type": "object",
        "properties": {"investor_id": _IDENTIFIER, part: schema},
        "required": ["investor_id", part],
    }
    return {"type": "array", "items": investor, "maxItems": fields.MAX_INVESTORS}


_READ_BY: Final[Mapping[object, Schema]] = {
    fields.identifier: _IDENTIFIER,
    fields.text: {"type": "string", "minLength": 1, "maxLength": fields.MAX_TEXT_CHARACTERS},
    fields.positive_amount: _AMOUNT,
    fields.amount: _AMOUNT,
    fields.calendar_date: {"type": "string", "format": "date"},
    fields.uuid: {"type": "string", "format": "uuid"},
    fields.metadata: {"description": "Texts by key, to be found again in the ledger; anything else is ignored."},
    events.read_recognition: {"type": "string", "enum": [word.value for word in InterestRecognition]},
    events.read_investors: _of_investors("share", _SHARE),
    events.read_losses: _of_investors("amount", _AMOUNT),
}
"""What a reader of a field takes."""


def loan_event(schemas: Schemas) -> Schema:
    """Any loan event: one schema for each type. Members nobody knows are kept with the event and ignored."""
    return schemas.define("LoanEvent", {"oneOf": [_event(schemas, kind) for kind in EVENT_TYPES]})


def _event(schemas: Schemas, kind: str) -> Schema:
    event_type = EVENT_TYPES[kind]
    return schemas.define(
        event_type.__name__,
        {
            "type": "object",
            "description": event_type.__doc__,
            "properties": {
                "type": {"type": "string", "const": kind},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": _data(kind),
            },
            "required": ["type", "timestamp", "data"],
        },
    )


def _data(kind: str) -> Schema:
    event_type = EVENT_TYPES[kind]
    known = fields_of(kind)
    required = [field.name for field in known if not _may_be_left_out(field, kind)]
    schema: Schema = {
        "type": "object",
        "properties": {
            "currency": {"type": "string", "description": "ISO 4217."},
            **{field.name: _member(field, kind) for field in known},
        },
        "required": ["currency", *required],
    }
    if event_type is LoanWrittenOff:
        schema["properties"]["amount"] = nullable(_AMOUNT)
        schema["anyOf"] = [{"required": [name]} for name in ("amount", "principal", "interest", "fees")]
    return schema


def _member(field: EventField, kind: str) -> Schema:
    schema = _READ_BY[field.read]
    return nullable(schema) if _may_be_left_out(field, kind) else schema


def _may_be_left_out(field: EventField, kind: str) -> bool:
    """Null is as good as left out."""
    return field.optional or (field.name == "effective_date" and EVENT_TYPES[kind] in UNDATED)
