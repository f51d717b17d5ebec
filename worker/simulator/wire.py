"""JSON as Codat writes it: numbers without loss, moments in UTC, its error document and its pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from worker.simulator.query import QueryError, compile_query, sort_records

Document = dict[str, Any]
"""A JSON object; its numbers are ``int`` or ``Decimal``, never binary floating point."""

DEFAULT_PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 5000
"""Records in one page at most, by Codat's paging documentation."""

MAX_EXPONENT: Final = 40
"""Powers of ten a number may have: beyond what any ledger holds, short of what would slow arithmetic down."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")


@dataclass(frozen=True, slots=True)
class ValidationItem:
    """One broken rule: the field in Codat's casing (``From.Amount``), a sentence, and the validator's name."""

    item_id: str
    message: str
    validator: str

    def document(self) -> Document:
        return {"itemId": self.item_id, "message": self.message, "validatorName": self.validator}


class CodatError(Exception):
    """An error response; ``service`` is the part of Codat (or the accounting software) that answers."""

    def __init__(
        self, status: int, error: str, *, service: str = "PublicApi", errors: Sequence[ValidationItem] = ()
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.service = service
        self.errors = tuple(errors)

    def document(self, correlation_id: str) -> Document:
        """Codat's error body."""
        return {
            "statusCode": self.status,
            "service": self.service,
            "error": self.error,
            "correlationId": correlation_id,
            "validation": validation_document(self.errors),
            "canBeRetried": "Unknown",
            "detailedErrorCode": 0,
        }


def validation_document(errors: Sequence[ValidationItem]) -> Document:
    """Codat's ``validation`` object."""
    return {"errors": [item.document() for item in errors], "warnings": []}


def encode(document: object) -> bytes:
    """JSON bytes; a ``Decimal`` becomes a JSON number with exactly its digits."""
    return _ENCODER.encode(document)


def decode_object(body: bytes) -> Document:
    """A request body that must be a JSON object; raises :class:`CodatError` 400 otherwise."""
    try:
        document = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CodatError(400, f"The request body is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise CodatError(400, "The request body must be a JSON object.")
    return document


def respond(document: object, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(body=encode(document), status=status, content_type="application/json")


def stamp(moment: datetime) -> str:
    """A moment as Codat writes it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def midnight(day: date) -> str:
    """A business date as Codat writes it."""
    return f"{day.isoformat()}T00:00:00Z"


def read_date(text: object) -> date | None:
    """The calendar date of an ISO 8601 date or date-time; None for anything else."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def read_number(value: object) -> Decimal | None:
    """A JSON number as a decimal; None for anything else (``true`` is no number) and for numbers no amount could be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() and abs(number.adjusted()) <= MAX_EXPONENT else None


def page_of(request: web.Request, records: Sequence[Document]) -> web.Response:
    """The asked-for page of ``records`` in Codat's envelope, after ``query`` and ``orderBy``."""
    number = _whole(request.query, "page", 1)
    size = _whole(request.query, "pageSize", DEFAULT_PAGE_SIZE)
    if size > MAX_PAGE_SIZE:
        raise CodatError(400, f"pageSize must be at most {MAX_PAGE_SIZE}.")
    try:
        chosen = compile_query(request.query.get("query", ""))
        matching = [record for record in records if chosen(record)]
        ordered = sort_records(matching, request.query.get("orderBy", ""))
    except QueryError as error:
        raise CodatError(400, str(error)) from None
    results = ordered[(number - 1) * size : number * size]
    return respond(
        {
            "results": results,
            "pageNumber": number,
            "pageSize": size,
            "totalResults": len(ordered),
            "_links": _links(request, number, size, len(ordered)),
        }
    )


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise CodatError(400, f"{name} must be a whole number of at least 1.")
    return int(text)


def _links(request: web.Request, number: int, size: int, total: int) -> Document:
    kept = {name: request.query[name] for name in ("query", "orderBy") if name in request.query}

    def link(page: int) -> Document:
        return {"href": f"{request.path}?{urlencode({'page': page, 'pageSize': size, **kept})}"}

    links: Document = {"self": {"href": request.path}, "current": link(number)}
    if number * size < total:
        links["next"] = link(number + 1)
    if number > 1:
        links["previous"] = link(number - 1)
    return links
