"""What the operations of ``/v1`` have in common: credentials, parameters with their readers' limits, pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from worker.openapi.document import Document, Operation, path_parameter, query_parameter, response
from worker.openapi.problem_responses import OF_ANY_BODY, problems
from worker.openapi.schemas import Schema, Schemas, closed
from worker.operations.request import MAX_ID_DIGITS, MAX_SENTENCES, MAX_TEXT
from worker.operations.views import DEFAULT_LIMIT, MAX_LIMIT

SECURITY: Final = "operatorToken"

SENTENCES: Final[Schema] = {"type": "string", "pattern": r"\S", "maxLength": MAX_SENTENCES}

_NUMBER: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**MAX_ID_DIGITS - 1}
_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_LIMIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}

PAGING: Final = (query_parameter("limit", _LIMIT), query_parameter("after", _NUMBER))
PAGING_BY_NAME: Final = (query_parameter("limit", _LIMIT), query_parameter("after", _TEXT))


def reading(
    path: str, name: str, summary: str, schema: Schema, parameters: Sequence[Document], *refusals: int
) -> Operation:
    """A GET; ``name`` is its tag and its verb, ``refusals`` what it may be told besides 401."""
    return Operation(
        method="GET",
        path=path,
        name=name,
        tag=name.partition(".")[0],
        summary=summary,
        responses={200: response(summary, schema), **problems(401, *refusals)},
        parameters=parameters,
        security=[SECURITY],
    )


def deciding(
    path: str, name: str, summary: str, answers: dict[int, Schema], place: Document, body: Schema | None = None
) -> Operation:
    """A POST about one thing; its ``answers`` by status."""
    refusals = (401, 404, 409, *(OF_ANY_BODY if body is not None else ()))
    return Operation(
        method="POST",
        path=path,
        name=name,
        tag=name.partition(".")[0],
        summary=summary,
        responses={**{status: response(summary, answers[status]) for status in answers}, **problems(*refusals)},
        parameters=[place],
        body=body,
        security=[SECURITY],
    )


def numbered(name: str) -> Document:
    """The number of a row in the path."""
    return path_parameter(name, _NUMBER)


def named(name: str) -> Document:
    """An id of another system in the path."""
    return path_parameter(name, {"type": "string", "minLength": 1})


def text(name: str) -> Document:
    """A filter by equality."""
    return query_parameter(name, _TEXT)


def choice(name: str, words: type[StrEnum], schemas: Schemas) -> Document:
    """A filter by one of a few words."""
    return query_parameter(name, schemas.of(words))


def day(name: str, *, required: bool = False) -> Document:
    """A business day."""
    return query_parameter(name, {"type": "string", "format": "date"}, required=required)


def page(schemas: Schemas, name: str, item: Schema) -> Schema:
    """One page of a list; ``next`` is the ``after`` of the page that follows, null on the last."""
    members: dict[str, Schema] = {"data": {"type": "array", "items": item}, "next": {"type": ["string", "null"]}}
    return schemas.define(name, closed(members))
