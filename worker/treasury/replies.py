"""What a request to Modern Treasury ends as.

A request that was understood ends as a value, :class:`Found` or :class:`Refused`. What says nothing about the request
itself raises: Modern Treasury is away for now, or does not let us in. So does what a person has to decide.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeAlias, TypeVar

from worker.errors import Unavailable, WritebackError
from worker.wire import JsonObject, UnreadableReplyError, child, decode_object, text

T = TypeVar("T")

DETAIL_LENGTH: Final = 500
"""Characters kept of a foreign error message: enough for its sense, too few for a page of HTML."""


class TreasuryUnavailableError(Unavailable):
    """No answer, or none that counts: the same request may be sent again, after ``wait`` if that was said."""

    def __init__(self, detail: str, wait: timedelta | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class TreasuryDeniedError(WritebackError):
    """The credentials or what they allow are wrong (401, 402, 403, or a redirect): no request can succeed."""


class NeedsPersonError(WritebackError):
    """What is there contradicts what has to be there, or the request can never succeed: a person must decide."""


class RefusedError(NeedsPersonError):
    """The request can never succeed as it stands, perhaps because something it names was discarded."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """2xx: the object as it stands now."""

    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """Another 4xx: this request can never succeed as it stands."""

    status: int
    message: str
    parameter: str | None = None

    @property
    def is_external_id_taken(self) -> bool:
        """Another object has the external id, very likely because this request was carried out before."""
        return self.status == 422 and self.parameter == "external_id"

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.message}"


Reply: TypeAlias = Found[T] | Refused


def read_refusal(status: int, body: bytes) -> Refused:
    """The error document ``{"errors": {"code", "message", "parameter"}}``, as far as there is one."""
    errors: JsonObject = {}
    with suppress(UnreadableReplyError):
        errors = child(decode_object(body), "errors")
    message = (text(errors, "message") or text(errors, "code") or "no error message")[:DETAIL_LENGTH]
    return Refused(status, message, text(errors, "parameter"))
