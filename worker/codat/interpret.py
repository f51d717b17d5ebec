"""Statuses, headers and bodies read as outcomes. Pure: the wire has already been touched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from worker import wire
from worker.codat.push_operation import parse_push_operation, parse_validation
from worker.codat.quota import Quota
from worker.codat.replies import (
    Accepted,
    AmbiguityCause,
    Ambiguous,
    CodatError,
    Denied,
    Invalid,
    KeyInProgress,
    KeyReused,
    Missing,
    NotFound,
    NotReady,
    PushReply,
    RateLimited,
    Refused,
    Unavailable,
)
from worker.reply import Reply, http_date, retry_after
from worker.wire import JsonObject, UnreadableReplyError

DETAIL_LENGTH: Final = 500
"""Characters kept of a foreign error message: enough for its sense, too few for a page of HTML."""

QUOTA_DIGITS: Final = 9
"""Digits of a quota that are believed, so that it fits the column it is kept in."""

CODATS_OWN_SERVICES: Final = frozenset({"publicapi", "clientsapi"})
"""What Codat calls itself in errors; any other service is the borrower's platform, whose limits are its own."""


def push_reply(reply: Reply, now: datetime) -> PushReply:
    """What a push ended as."""
    status = reply.status
    if 200 <= status < 300:
        return _accepted(reply)
    error = read_error(reply)
    match status:
        case 401 | 402 | 403:
            return Denied(status, error)
        case 404:
            return Missing(error)
        case 408:
            return Ambiguous(AmbiguityCause.TIMEOUT, status, error.message, error)
        case 409:
            return KeyInProgress()
        case 422:
            return KeyReused(error)
        case 429:
            return RateLimited(retry_after(reply.headers, now))
        case _ if 300 <= status < 400:
            return Denied(status, error)
        case _ if 400 <= status < 500:
            return Invalid(error)
        case _:
            return Ambiguous(AmbiguityCause.SERVER_ERROR, status, error.message, error)


def read_failure(
    reply: Reply, now: datetime
) -> NotFound | NotReady | RateLimited | Denied | Refused | Unavailable | None:
    """What a request that is no push ended as, or None when it succeeded."""
    status = reply.status
    if 200 <= status < 300:
        return None
    error = read_error(reply)
    match status:
        case 401 | 402 | 403:
            return Denied(status, error)
        case 404:
            return NotFound(error)
        case 409:
            return NotReady(error)
        case 429:
            return RateLimited(retry_after(reply.headers, now))
        case _ if 300 <= status < 400:
            return Denied(status, error)
        case _ if 400 <= status < 500 and status != 408:
            return Refused(error)
        case _:
            return Unavailable(f"HTTP {status}: {error.message}")


def read_error(reply: Reply) -> CodatError:
    """The error document, as far as there is one. Its own ``statusCode`` is ignored: Codat's samples contradict it."""
    if 300 <= reply.status < 400:
        return CodatError(reply.status, "answered with a redirect, which is not followed: check CODAT_BASE_URL")
    try:
        document = wire.decode_object(reply.body)
    except UnreadableReplyError:
        document = {}
    return CodatError(
        status=reply.status,
        message=(wire.text(document, "error") or "no error message")[:DETAIL_LENGTH],
        service=wire.text(document, "service"),
        correlation_id=wire.text(document, "correlationId"),
        errors=parse_validation(wire.child(document, "validation"), "errors"),
    )


def is_platform_limit(reply: Reply) -> bool:
    """A 429 is the borrower's platform's and not Codat's own, so other companies may go on."""
    service = read_error(reply).service
    return service is not None and service.casefold() not in CODATS_OWN_SERVICES


def quota(headers: Mapping[str, str]) -> Quota | None:
    """The daily quota a reply tells, or None when it tells nothing."""
    limit, remaining = _count(headers.get("x-rate-limit-limit")), _count(headers.get("x-rate-limit-remaining"))
    resets_at = _moment(headers.get("x-rate-limit-reset"))
    if limit is None and remaining is None and resets_at is None:
        return None
    return Quota(limit, remaining, resets_at)


def _accepted(reply: Reply) -> PushReply:
    try:
        return Accepted(parse_push_operation(wire.decode_object(reply.body)))
    except UnreadableReplyError as error:
        return Ambiguous(AmbiguityCause.REPLY, reply.status, str(error))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    document: JsonObject = {"at": text}
    return wire.moment(document, "at") or http_date(text)


def _count(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= QUOTA_DIGITS else None
