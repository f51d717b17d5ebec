"""Codat's ``Idempotency-Key``: the first answer to a key is the answer for ninety minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from worker.simulator.wire import CodatError

HEADER: Final = "Idempotency-Key"
KEPT_FOR: Final = timedelta(minutes=90)
"""Simulated time an answer is replayed for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, byte for byte."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Entry:
    fingerprint: bytes
    expires_at: datetime
    answer: Answer | None


class IdempotencyCache:
    """Answers by key. A key in use has no answer yet; a 429 frees its key."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: dict[UUID, _Entry] = {}

    def begin(self, key: UUID, request: bytes) -> Answer | None:
        """Claims a key for a request, or returns the answer it already had.

        Raises :class:`CodatError` 409 while the first request is in progress and 422 when the request is another one.
        """
        fingerprint = hashlib.sha256(request).digest()
        entry = self._entries.get(key)
        if entry is None or entry.expires_at <= self._now():
            self._entries[key] = _Entry(fingerprint, self._now() + KEPT_FOR, None)
            return None
        if entry.fingerprint != fingerprint:
            raise CodatError(422, "This Idempotency-Key was used with a different request.")
        if entry.answer is None:
            raise CodatError(409, "A request with this Idempotency-Key is still in progress.")
        return entry.answer

    def finish(self, key: UUID, answer: Answer) -> None:
        """Keeps the answer, unless it is a 429: that frees the key."""
        if answer.status == 429:
            self.release(key)
        elif key in self._entries:
            self._entries[key].answer = answer

    def release(self, key: UUID) -> None:
        """Forgets a key whose request never took effect."""
        self._entries.pop(key, None)


def read_key(method: str, values: list[str]) -> UUID | None:
    """The request's key; raises :class:`CodatError` 400 when it is no GUID, is repeated or does not belong there."""
    if not values:
        return None
    if method not in {"POST", "PATCH"}:
        raise CodatError(400, f"{HEADER} is accepted on POST and PATCH only.")
    if len(values) > 1:
        raise CodatError(400, f"{HEADER} has to be sent once.")
    try:
        return UUID(values[0])
    except ValueError:
        raise CodatError(400, f"{HEADER} has to be a GUID.") from None
