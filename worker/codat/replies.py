"""What a request to Codat can end as. The HTTP status decides, never the status written into the body.

A push ends as one of :data:`PushReply`, everything else as one of :data:`ReadReply`. No status raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from worker.codat.push_operation import PushOperation, ValidationItem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CodatError:
    """An error document, as far as it could be read. ``correlation_id`` repeats when Codat replays a cached error."""

    status: int
    message: str
    service: str | None = None
    correlation_id: str | None = None
    errors: tuple[ValidationItem, ...] = ()

    @property
    def names_unsupported(self) -> bool:
        """The platform lacks the data type and will not learn it; any other 404 may be over one day."""
        return "not supported" in self.message


class AmbiguityCause(StrEnum):
    """Why it is not known whether a write took effect."""

    SERVER_ERROR = "5xx"
    """Cached against the key for 90 minutes: the same key only hears it again."""
    TIMEOUT = "timeout"
    """The same key is safe for 90 minutes: it carries the write out, hears its result, or waits for it."""
    CONNECTION = "connection"
    """As a timeout: the connection broke after the request may have left."""
    REPLY = "reply"
    """Accepted, but the reply could not be understood, so the push operation's key is not known."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """200: the write is a push operation now. It may already be final; ``operation.status`` says."""

    operation: PushOperation


@dataclass(frozen=True, slots=True)
class Invalid:
    """400: the request can never succeed as it stands. A corrected one needs a new key."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class RateLimited:
    """429, or our own gate is closed: nothing was done; the same key may go again after ``retry_after``."""

    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class KeyInProgress:
    """409 to a push: the first request with this key is still running; the same key may go again shortly."""


@dataclass(frozen=True, slots=True)
class KeyReused:
    """422 to a push: this key was used with another body, which is a fault of ours. Nothing was written."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class Denied:
    """401, 402 or 403: key, account or permission. No repetition helps; a person must act."""

    status: int
    error: CodatError


@dataclass(frozen=True, slots=True)
class Missing:
    """404 to a push: the company or the connection does not exist, or the platform knows no such record."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The write may or may not have taken effect; the push history and the books have to be searched."""

    cause: AmbiguityCause
    status: int | None
    detail: str
    error: CodatError | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """The request never left: no connection could be made. Nothing was written; the same key may go again."""

    detail: str


PushReply: TypeAlias = (
    Accepted | Invalid | RateLimited | KeyInProgress | KeyReused | Denied | Missing | Ambiguous | Unsent
)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """200: what was asked for."""

    value: T


@dataclass(frozen=True, slots=True)
class NotFound:
    """404: no such company, connection or record, no data yet, or a data type the platform does not have."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class NotReady:
    """409 to a read: the data has not been synchronised; queue a sync and ask again later."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class Refused:
    """400 or another 4xx to a request that is no push: it can never succeed as it stands."""

    error: CodatError


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A 5xx, a timeout, a broken connection or an unreadable reply: ask again later."""

    detail: str


ReadReply: TypeAlias = Found[T] | NotFound | NotReady | RateLimited | Denied | Refused | Unavailable
