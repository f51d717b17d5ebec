"""What Codat's webhooks say, in both of its dialects. Pure.

The new service sends ``{"id", "eventType", "generatedDate", "payload"}``; some of its samples say ``type`` instead of
``eventType``. The older rules send ``{"RuleType", "AlertId", "CompanyId", "Data", …}``; some say ``Type``. Reading is
lenient on purpose: only a body that is no JSON object is refused, and whatever is not understood is :class:`Ignored`,
because the older rules drop a webhook for good when it is answered with 400.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias
from uuid import UUID

from worker.errors import Rejected

MAX_TYPE_CHARACTERS: Final = 100
"""Longest type name kept; Codat's longest has 39 characters."""

MAX_COUNT_DIGITS: Final = 18
"""Digits of the largest whole number read as a count."""

UNNAMED: Final = "unnamed"
"""Stands for a type that is missing or is no printable text."""

TIMED_OUT: Final = "TimedOut"
"""The status that a webhook of the older ``Push Operation Timed Out`` rule reports by its name alone."""

DELETED: Final = "Deleted"
"""The status of a connection that is gone; Codat's own ``connection.deleted`` still shows the last one it had."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A webhook of either dialect: its type as Codat spells it, and where its content is."""

    type: str
    legacy: bool
    fields: Mapping[str, object]
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PushStatusChanged:
    """A push operation moved. ``status`` is what the webhook claims; the operation itself is read before belief."""

    push_operation_key: UUID
    data_type: str | None
    status: str
    company_id: UUID | None
    connection_id: UUID | None


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """A borrower's connection was made, lost, restored or removed, or a bank feed behind it joined or cut off."""

    connection_id: UUID
    company_id: UUID | None
    status: str | None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The client's daily quota ran out (``reached``) or was renewed. ``expires`` is Codat's own text."""

    reached: bool
    daily_quota: int | None
    quota_remaining: int | None
    expires: str | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A webhook this program has no use for; it is kept like every other."""

    type: str


Notice: TypeAlias = PushStatusChanged | ConnectionChanged | RateLimit | Ignored


def parse_codat_webhook(body: bytes) -> Notice:
    """What the webhook says; raises :class:`~worker.errors.Rejected` (400) when it is no JSON object."""
    return interpret(read_envelope(body))


def read_envelope(body: bytes) -> Envelope:
    """The envelope of either dialect; raises :class:`~worker.errors.Rejected` (400) when it is no JSON object."""
    try:
        document = json.loads(body, parse_constant=_no_constant, parse_int=_whole, parse_float=str)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(document, dict):
        raise _malformed()
    legacy = not ("payload" in document or "eventType" in document)
    names = ("RuleType", "Type") if legacy else ("eventType", "type")
    name = next((document[n] for n in names if n in document), UNNAMED)
    data = document.get("Data" if legacy else "payload")
    return Envelope(_text(name) or UNNAMED, legacy, document, data if isinstance(data, dict) else {})


def interpret(envelope: Envelope) -> Notice:
    """What the envelope means; never refuses."""
    notice = _interpret_rule(envelope) if envelope.legacy else _interpret_event(envelope)
    return notice or Ignored(envelope.type)


def _interpret_event(envelope: Envelope) -> Notice | None:
    payload = envelope.data
    company_id = _uuid(_object(payload, "referenceCompany").get("id"))
    data_type, _, what = envelope.type.partition(".")
    if what in ("write.successful", "write.unsuccessful"):
        # The name says less than the status: Codat's own sample of a time-out is called successful.
        claimed = "Success" if what == "write.successful" else "Failed"
        return _push(
            payload.get("id"), data_type, payload.get("status") or claimed, company_id, payload.get("connectionId")
        )
    if data_type == "connection":
        connection = _object(payload, "connection")
        status = DELETED if what == "deleted" else connection.get("status")
        return _connection(connection.get("id"), company_id, status)
    if envelope.type in ("bankFeeds.sourceAccount.connected", "bankFeeds.sourceAccount.disconnected"):
        # Its feed was joined to an account or cut off: whoever waits for that connection looks again.
        return _connection(payload.get("connectionId"), company_id, None)
    if envelope.type in ("client.rateLimit.reached", "client.rateLimit.reset"):
        return _rate_limit(payload, reached=what == "rateLimit.reached")
    return None


def _interpret_rule(envelope: Envelope) -> Notice | None:
    data = envelope.data
    company_id = _uuid(envelope.fields.get("CompanyId"))
    connection_id = envelope.fields.get("DataConnectionId")
    # "Push Operation Status Changed()" is the literal name; samples spell it with and without brackets and spaces.
    match envelope.type.removesuffix("()").replace(" ", "").lower():
        case "pushoperationstatuschanged":
            return _push(
                data.get("pushOperationKey"), data.get("dataType"), data.get("status"), company_id, connection_id
            )
        case "pushoperationtimedout":
            return _push(data.get("pushOperationKey"), data.get("dataType"), TIMED_OUT, company_id, connection_id)
        case "dataconnectionstatuschanged":
            return _connection(data.get("dataConnectionId") or connection_id, company_id, data.get("newStatus"))
        case "ratelimitreached" | "clientratelimitreached":
            return _rate_limit(data, reached=True)
        case "ratelimitreset" | "clientratelimitreset":
            return _rate_limit(data, reached=False)
        case _:
            return None


def _push(
    key: object, data_type: object, status: object, company_id: UUID | None, connection_id: object
) -> PushStatusChanged | None:
    push_operation_key = _uuid(key)
    if push_operation_key is None:
        return None
    return PushStatusChanged(
        push_operation_key, _text(data_type), _text(status) or UNNAMED, company_id, _uuid(connection_id)
    )


def _connection(connection_id: object, company_id: UUID | None, status: object) -> ConnectionChanged | None:
    known = _uuid(connection_id)
    return ConnectionChanged(known, company_id, _text(status)) if known else None


def _rate_limit(data: Mapping[str, object], *, reached: bool) -> RateLimit:
    # camelCase from the new service, PascalCase and another name for the expiry from the older rules.
    return RateLimit(
        reached,
        _count(data.get("dailyQuota", data.get("DailyQuota"))),
        _count(data.get("quotaRemaining", data.get("QuotaRemaining"))),
        _text(data.get("expiryDate", data.get("ExpiresUtc"))),
    )


def _object(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 1 <= len(value) <= MAX_TYPE_CHARACTERS and value.isprintable() else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _whole(digits: str) -> int | str:
    # Longer ones are no counts, and Python refuses to convert thousands of digits.
    return int(digits) if len(digits) <= MAX_COUNT_DIGITS else digits


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _malformed() -> Rejected:
    return Rejected(400, "the body is not a JSON object", field="body", code="malformed_json")
