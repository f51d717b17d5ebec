"""Errors as problem documents (RFC 9457): one shape for every refusal, with a ``code`` that never changes.

::

    {"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "impossible_event",
     "detail": "data.amount is not the sum of its parts",
     "errors": [{"field": "data.amount", "message": "is not the sum of its parts"}]}

``type`` stays ``about:blank`` because the code says all there is to look up; ``title`` is therefore HTTP's own phrase.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from worker.errors import CredentialsRefused, Rejected, Unavailable

CONTENT_TYPE: Final = "application/problem+json"

RETRY_AFTER_SECONDS: Final = 5
"""What a caller is told to wait while the database is away: a restart's length, and far below any sender's patience."""

CODES: Final[dict[int, str]] = {
    400: "invalid_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    417: "expectation_failed",
    500: "internal_error",
    503: "unavailable",
}
"""The code of a status that is raised without one of its own."""

SIGNATURE_CODE: Final = "invalid_signature"
"""Code of a webhook that could not be authenticated."""

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A problem document; ``field`` is the dotted path of the value to blame, ``detail`` what to do about it."""
    code = code or CODES.get(status, "error")
    document: dict[str, object] = {
        "type": "about:blank",
        "title": _phrase(status),
        "status": status,
        "code": code,
        "detail": detail if field is None else f"{field} {detail}",
        "errors": [] if field is None else [{"field": field, "message": detail}],
    }
    # The standard library escapes everything beyond ASCII, so that no echo of a sender's text can fail to encode.
    body = json.dumps(document).encode("ascii")
    return web.Response(
        status=status, body=body, content_type=CONTENT_TYPE, headers={**_headers_of(status, code), **(headers or {})}
    )


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers every error a handler raises with a problem document; an unexpected one is logged, not described."""
    try:
        return await handler(request)
    except Rejected as error:
        return problem(error.status, error.detail, code=error.code, field=error.field)
    except CredentialsRefused as error:
        log.warning("request_unavailable", path=request.path, error=str(error))
        return problem(502, str(error), code="credentials_refused")
    except Unavailable as error:
        log.warning("request_unavailable", path=request.path, error=str(error))
        return problem(503, "the service cannot do this just now: send the request again after a moment")
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(error.status, _explain(request, error.status), headers=allow)
    except Exception:
        log.exception("request_failed", path=request.path)
        return problem(500, "an unexpected error was recorded; nothing was changed")


def _headers_of(status: int, code: str) -> dict[str, str]:
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return {"WWW-Authenticate": "Signature" if code == SIGNATURE_CODE else "Bearer"}
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return {"Retry-After": str(RETRY_AFTER_SECONDS)}
        case _:
            return {}


def _explain(request: web.Request, status: int) -> str:
    match status:
        case HTTPStatus.NOT_FOUND:
            return "there is nothing at this path"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return f"{request.method} is not possible here"
        case _:
            return _phrase(status).lower()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
