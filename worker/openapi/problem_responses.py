"""Refusals outside ``/api``: problem documents (RFC 9457), one shape for all of them. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

from worker.openapi.document import Document, header, refer_to_response, response
from worker.openapi.schemas import Schemas

CONTENT_TYPE: Final = "application/problem+json"

_WORDS: Final = {
    400: ("Malformed", "The request is malformed: `errors` names the field and what it takes."),
    401: ("Unauthenticated", "The credentials or the signature are not accepted."),
    404: ("NotFound", "There is no such thing."),
    408: ("TooSlow", "The body did not arrive in time."),
    409: ("Conflict", "What is asked for exists, but is in no state for it."),
    413: ("TooLarge", "The body is too large."),
    415: ("Compressed", "The body is compressed."),
    422: ("Impossible", "The request is well-formed, and can never be right: `errors` names the field."),
    500: ("Failed", "An unexpected error was recorded; nothing was changed."),
    502: ("CredentialsRefused", "Another system does not accept this program's credentials."),
    503: ("Unavailable", "The database or a foreign system is away: send the request again."),
}

_HEADERS: Final[dict[int, dict[str, Document]]] = {
    401: {"WWW-Authenticate": header("Which credentials are wanted.", {"type": "string"})},
    503: {"Retry-After": header("Seconds to wait.", {"type": "integer"})},
}

OF_ANY_BODY: Final = (400, 408, 413, 415)
"""What a request with a body may be told before anybody has understood it."""


class FieldError(TypedDict):
    """The dotted path of a value, and what to do about it."""

    field: str
    message: str


class Problem(TypedDict):
    """Why a request was refused; ``code`` never changes."""

    type: Literal["about:blank"]
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]


def problem_responses(schemas: Schemas) -> dict[str, Document]:
    """All refusals by their names."""
    problem = schemas.of(Problem)
    return {
        name: response(words, problem, _HEADERS.get(status), CONTENT_TYPE) for status, (name, words) in _WORDS.items()
    }


def problems(*statuses: int) -> dict[int, Any]:
    """References to the refusals of these statuses, and of those nobody is safe from."""
    return {status: refer_to_response(_WORDS[status][0]) for status in (*statuses, 500, 503)}
