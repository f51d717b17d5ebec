"""``/api`` in the document: requests as handlers read them, answers as handlers type them. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from types import NoneType
from typing import Final, NotRequired, TypedDict, get_args, get_origin, get_type_hints

import worker.api
from worker.api.call import MAX_KEY_CHARACTERS, PREFIX, Handler, Route
from worker.api.query import LARGEST_PAGE
from worker.api.refusals import Code
from worker.openapi.document import (
    Document,
    Operation,
    Part,
    header,
    path_parameter,
    query_parameter,
    refer_to_response,
    response,
)
from worker.openapi.rehearsal import Request, rehearse
from worker.openapi.schemas import Schemas

SECURITY: Final = "ledgerKey"

IDEMPOTENCY_KEY: Final[Document] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Stands for the call's first success for 24 hours, whatever path and body it comes with again: "
        "use another one for every intention."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
}


class ApiError(TypedDict):
    """Why a call was refused: a code that never changes, a sentence, and the parameter to blame."""

    code: Code
    message: str
    parameter: NotRequired[str]


class ApiErrors(TypedDict):
    """The body of every refusal."""

    errors: ApiError


_REFUSALS: Final = {
    400: ("ApiBroken", "The body's framing is broken."),
    401: ("ApiUnauthenticated", "The credentials are of no caller."),
    404: ("ApiNotFound", "There is no such object, or it was discarded."),
    408: ("ApiTooSlow", "The body did not arrive in time."),
    409: (
        "ApiConflict",
        "The key's first call is still being answered, or several objects are meant.",
    ),
    413: ("ApiTooLarge", "The body is too large."),
    415: ("ApiCompressed", "The body is compressed."),
    422: ("ApiRefused", "A parameter is wrong, or the books do not allow it."),
    500: ("ApiFailed", "An unexpected error was recorded; nothing was changed."),
    503: ("ApiUnavailable", "The database is away: send the call again."),
}

_HEADERS: Final = {
    401: {"WWW-Authenticate": header("Which credentials are wanted.", {"type": "string"})},
    409: {"x-should-retry": header("`false` where no repetition helps.", {"type": "string"}, required=False)},
    503: {"Retry-After": header("Seconds to wait.", {"type": "integer"})},
}

_LIST_HEADERS: Final = {
    "X-Per-Page": header("Objects of a page.", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}),
    "X-After-Cursor": header("`after_cursor` of the next page.", {"type": "string", "format": "uuid"}, required=False),
}

_SEVERAL_MEANT: Final = ("GET", "/ledger_transactions/{id}")
"""Where an external id that several ledgers know is a conflict."""

_ALWAYS: Final = (400, 401, 408, 413, 415, 422, 500, 503)
"""What any call may be told: its body is read whatever the method, and no URL may hold NUL."""


def ledger_part(routes: Sequence[Route], schemas: Schemas) -> Part:
    """Every operation below :data:`PREFIX`."""
    error = schemas.of(ApiErrors)
    return Part(
        operations=[_operation(route, schemas, routes) for route in routes],
        tags=_tags(handler for _, _, handler in routes),
        security={SECURITY: {"type": "http", "scheme": "basic", "description": "Organization id and API key."}},
        responses={name: response(words, error, _HEADERS.get(status)) for status, (name, words) in _REFUSALS.items()},
    )


def _operation(route: Route, schemas: Schemas, routes: Sequence[Route]) -> Operation:
    method, path, handler = route
    request = rehearse(handler)
    summary, description = _told(inspect.getdoc(handler))
    may_conflict = method == "POST" or (method, path) == _SEVERAL_MEANT
    statuses = {*_ALWAYS, *([404] if request.path else []), *([409] if may_conflict else [])}
    return Operation(
        method=method,
        path=PREFIX + path,
        name=handler.__qualname__,
        tag=_tag(handler),
        summary=summary,
        description=description,
        parameters=[*_parameters(request), *([IDEMPOTENCY_KEY] if method == "POST" else [])],
        body=request.body,
        may_be_empty=request.body is not None and not request.body["required"],
        responses={
            **{status: refer_to_response(_REFUSALS[status][0]) for status in statuses},
            201 if method == "POST" else 200: {**_success(handler, schemas), **_links(route, routes)},
        },
        security=[SECURITY],
    )


def _parameters(request: Request) -> Iterator[Document]:
    for name, schema in request.path.items():
        yield path_parameter(name, schema)
    for name, schema in request.parameters.items():
        yield query_parameter(name, schema)


def _success(handler: Handler, schemas: Schemas) -> Document:
    """What the handler's own annotation says: ``Answer[...]`` of an object, of a sequence of objects, or of None."""
    (shape,) = get_args(get_type_hints(handler)["return"])
    if shape is NoneType:
        return response("Done; there is nothing to show.")
    if get_origin(shape) is Sequence:
        return response("A page.", schemas.of(shape), _LIST_HEADERS)
    return response("The object.", schemas.of(shape))


def _links(route: Route, routes: Iterable[Route]) -> Document:
    """Where what was created is found again and changed."""
    method, collection, _ = route
    if method != "POST":
        return {}
    of_one = [handler for _, path, handler in routes if path.startswith(f"{collection}/{{id}}")]
    links = {
        each.__name__: {"operationId": each.__qualname__, "parameters": {"id": "$response.body#/id"}} for each in of_one
    }
    return {"links": links} if links else {}


def _tag(handler: Handler) -> str:
    """The resource that answers; what belongs to none is about the ledger as a whole."""
    owner = getattr(handler, "__self__", None)
    return "Ledger API" if owner is None else type(owner).__name__


def _tags(handlers: Iterable[Handler]) -> dict[str, str]:
    return {_tag(handler): _told(inspect.getdoc(getattr(handler, "__self__", worker.api)))[0] for handler in handlers}


def _told(docstring: str | None) -> tuple[str, str]:
    """The first line of a docstring, and what follows it."""
    summary, _, rest = (docstring or "").partition("\n")
    return summary, rest.strip()
