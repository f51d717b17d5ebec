"""What a handler of ``/api`` takes, found out by having it read a request that notes every question. Pure.

Handlers read their whole request before they do anything. In a rehearsal everything they ask for is there, each answer
is plausible, and the end of the reading is the end of the rehearsal. So the document says exactly what is read, with
the very limits and words that the reading has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import combinations
from typing import Final, TypeVar
from uuid import UUID

from worker.api import body as limits
from worker.api.body import Body
from worker.api.call import Call, Handler
from worker.api.credentials import Caller
from worker.api.query import (
    DEFAULT_PAGE,
    MAX_LIST,
    NEWEST_FIRST,
    Comparison,
    Order,
    OrderDirection,
    OrderField,
    Page,
    Query,
    Range,
    Window,
    WindowBound,
)
from worker.api.texts import MAX_DIGITS
from worker.calendar import DAYS
from worker.errors import Bug
from worker.ledger.transaction import MAX_METADATA_PAIRS
from worker.openapi.schemas import Schema, closed, nullable

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

_ID: Final = UUID(int=0)
_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TEXT: Final = "x"

TIME: Final[Schema] = {
    "type": "string",
    "anyOf": [{"format": "date-time"}, {"format": "date"}],
    "description": f"A time {DAYS} in UTC; a day is its midnight.",
}
DAY: Final[Schema] = {"type": "string", "format": "date", "description": f"A day {DAYS}."}
WHOLE: Final[Schema] = {"type": "integer"}
UUID_TEXT: Final[Schema] = {"type": "string", "format": "uuid"}


class _Finished(Exception):
    """The request was read to its end."""


@dataclass
class Request:
    """What a handler read: names of the path's ids, parameters of the URL, members of the body (None: no body)."""

    path: dict[str, Schema] = field(default_factory=dict)
    parameters: dict[str, Schema] = field(default_factory=dict)
    body: Schema | None = None


def rehearse(handler: Handler) -> Request:
    """What the handler reads; raises :class:`~worker.errors.Bug` when it does something before it has read all."""
    noted = Request()
    performance = handler(_Call(Caller("", b""), {}, (), b"", None, noted)).__await__()
    try:
        next(performance)
    except _Finished:
        return noted
    except StopIteration:
        raise Bug(f"{handler} answered before its request was read") from None
    raise Bug(f"{handler} waited for something before its request was read")


@dataclass(frozen=True, slots=True)
class _Call(Call):
    """A request that notes what is asked of it."""

    noted: Request

    @property
    def query(self) -> Query:
        return _Query(self.noted.parameters)

    @property
    def body(self) -> Body:
        body = _Body(outermost=True)
        self.noted.body = body.schema
        return body

    def id(self, noun: str, name: str = "id") -> UUID:
        self.noted.path[name] = UUID_TEXT
        return _ID

    def key(self) -> str:
        self.noted.path["id"] = {"type": "string", "description": "The id, or the external id."}
        return _TEXT


class _Body(Body):
    """A JSON object that has every member it is asked for, and notes them in its :attr:`schema`."""

    def __init__(self, *, outermost: bool) -> None:
        super().__init__({})
        self._outermost = outermost
        self._properties: dict[str, Schema] = {}
        self._required: list[str] = []
        self.schema: Schema = {
            "type": "object",
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": False,
        }

    def finish(self) -> None:
        if self._outermost:
            raise _Finished

    def take_all(self) -> dict[str, object]:
        self.schema["additionalProperties"] = True
        return {}

    def text(self, name: str, longest: int) -> str | None:
        return self._note(name, {"type": "string", "maxLength": longest}, _TEXT)

    def some_text(self, name: str, longest: int) -> str | None:
        return self._note(name, _some_text(longest), _TEXT)

    def required_text(self, name: str, longest: int) -> str:
        return self._require(name, _some_text(longest), _TEXT)

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        return self._note(name, _words(choices), next(iter(choices)))

    def required_choice(self, name: str, choices: type[Choice]) -> Choice:
        return self._require(name, _words(choices), next(iter(choices)))

    def uuid(self, name: str) -> UUID | None:
        return self._note(name, UUID_TEXT, _ID)

    def required_uuid(self, name: str) -> UUID:
        return self._require(name, UUID_TEXT, _ID)

    def uuids(self, name: str, most: int) -> list[UUID]:
        return self._note(name, {"type": "array", "items": UUID_TEXT, "maxItems": most}, [_ID])

    def required_uuids(self, name: str, most: int) -> list[UUID]:
        self._required.append(name)
        return self.uuids(name, most)

    def flag(self, name: str) -> bool | None:
        return self._note(name, {"type": "boolean"}, True)

    def whole(self, name: str) -> int | None:
        return self._note(name, WHOLE, 0)

    def required_whole(self, name: str) -> int:
        return self._require(name, WHOLE, 0)

    def required_amount(self) -> int:
        self._note("amount", {"type": "integer", "minimum": 0}, 0)
        self._note("amount_string", {"type": "string", "pattern": f"^[0-9]{{1,{MAX_DIGITS}}}$"}, "0")
        self.schema["anyOf"] = [
            {"required": [name], "properties": {name: {"type": kind}}}
            for name, kind in (("amount", "integer"), ("amount_string", "string"))
        ]
        return 0

    def whole_text(self, name: str) -> int | None:
        return self._note(name, {"type": "string", "pattern": f"^-?[0-9]{{1,{MAX_DIGITS}}}$"}, 0)

    def moment(self, name: str) -> datetime | None:
        return self._note(name, TIME, _MOMENT)

    def required_moment(self, name: str) -> datetime:
        return self._require(name, TIME, _MOMENT)

    def metadata_changes(self) -> dict[str, str | None]:
        text = {"type": ["string", "null"], "maxLength": limits.MAX_METADATA_TEXT}
        schema = {
            "type": "object",
            "additionalProperties": text,
            "propertyNames": {"minLength": 1, "maxLength": limits.MAX_METADATA_TEXT},
            "maxProperties": MAX_METADATA_PAIRS,
        }
        return self._note("metadata", schema, {})

    def numbers(self, name: str, keys: type[Choice]) -> dict[Choice, int]:
        members = {key.value: nullable(WHOLE) for key in keys}
        return self._note(name, closed(members, []), {})

    def required_object(self, name: str) -> Body:
        inner = _Body(outermost=False)
        return self._require(name, inner.schema, inner)

    def objects(self, name: str, most: int) -> list[Body] | None:
        item = _Body(outermost=False)
        return self._note(name, {"type": "array", "items": item.schema, "maxItems": most}, list[Body]([item]))

    def required_objects(self, name: str, most: int) -> list[Body]:
        item = _Body(outermost=False)
        return self._require(name, {"type": "array", "items": item.schema, "maxItems": most}, [item])

    def _note(self, name: str, schema: Schema, value: T) -> T:
        """Null counts as not given."""
        self._properties[name] = nullable(schema)
        return value

    def _require(self, name: str, schema: Schema, value: T) -> T:
        self._properties[name] = schema
        self._required.append(name)
        return value


class _Query(Query):
    """Parameters that are all given once they are asked for, noted by their names."""

    def __init__(self, noted: dict[str, Schema]) -> None:
        super().__init__(())
        self._noted = noted

    def finish(self) -> None:
        raise _Finished

    def text(self, name: str) -> str | None:
        return self._note(name, {"type": "string"}, _TEXT)

    def texts(self, name: str) -> list[str] | None:
        return self._note_array(name, {"type": "string"}, [_TEXT])

    def uuid(self, name: str) -> UUID | None:
        return self._note(name, UUID_TEXT, _ID)

    def uuids(self, name: str) -> list[UUID] | None:
        return self._note_array(name, UUID_TEXT, [_ID])

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        return self._note(name, _words(choices), next(iter(choices)))

    def choices(self, name: str, choices: type[Choice]) -> list[Choice] | None:
        one = next(iter(choices))
        self._note(name, _words(choices), one)
        return self._note_array(name, _words(choices), [one])

    def flag(self, name: str) -> bool:
        return self._note(name, {"type": "boolean"}, True)

    def whole(self, name: str) -> int | None:
        return self._note(name, WHOLE, 0)

    def metadata(self) -> dict[str, str] | None:
        pairs = {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"minLength": 1}}
        return self._note("metadata", pairs, {})

    def moment(self, name: str) -> datetime | None:
        return self._note(name, TIME, _MOMENT)

    def moments(self, name: str) -> Range[datetime]:
        return self._note(name, _bounds(TIME), Range())

    def days(self, name: str) -> Range[date]:
        return self._note(name, _bounds(DAY), Range())

    def wholes(self, name: str) -> Range[int]:
        return self._note(name, _bounds(WHOLE), Range())

    def balance(self, name: str) -> Range[int]:
        return self._note(name, closed({comparison.value: WHOLE for comparison in Comparison}, []), Range())

    def order(self) -> Order | None:
        fields = {name.value: _words(OrderDirection) for name in OrderField}
        return self._note("order_by", {**closed(fields, []), "maxProperties": 1}, NEWEST_FIRST)

    def window(self, *others: str) -> Window:
        uppers = [bound.value for bound in WindowBound if bound is not WindowBound.LOWER]
        two_uppers = [{"required": list(pair)} for pair in combinations(uppers, 2)]
        bounds = closed({bound.value: TIME for bound in WindowBound}, [])
        return self._note("balances", {**bounds, "not": {"anyOf": two_uppers}}, Window())

    def page(self) -> Page:
        self._note("per_page", {"type": "integer", "minimum": 1, "default": DEFAULT_PAGE}, 1)
        cursor = {"type": "string", "anyOf": [{"format": "uuid"}, {"maxLength": 0}]}
        return self._note("after_cursor", cursor, Page(1, None))

    def _note(self, name: str, schema: Schema, value: T) -> T:
        self._noted[name] = schema
        return value

    def _note_array(self, name: str, schema: Schema, value: list[T]) -> list[T]:
        return self._note(f"{name}[]", {"type": "array", "items": schema, "maxItems": MAX_LIST}, value)


def _some_text(longest: int) -> Schema:
    return {"type": "string", "pattern": r"\S", "maxLength": longest}


def _words(choices: type[StrEnum]) -> Schema:
    return {"type": "string", "enum": [word.value for word in choices]}


def _bounds(value: Schema) -> Schema:
    return closed({one.value: value for one in Comparison if one is not Comparison.NOT_EQ}, [])
