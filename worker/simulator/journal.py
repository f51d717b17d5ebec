"""Every Codat request the simulator received, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from worker.simulator.wire import Document

KEPT_REQUESTS: Final = 50_000
"""Requests remembered; older ones are forgotten so that a long load test cannot exhaust memory."""


@dataclass(slots=True)
class Entry:
    """One request. ``status`` is None when the connection was cut instead of answered."""

    at: str
    method: str
    path: str
    query: str
    idempotency_key: str | None
    body: str
    status: int | None = None
    replayed: bool = False
    fault: str | None = None

    def document(self) -> Document:
        """The request as the control shows it."""
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "idempotencyKey": self.idempotency_key,
            "status": self.status,
            "replayed": self.replayed,
            "fault": self.fault,
            "body": self.body,
        }


@dataclass(slots=True)
class Journal:
    """The requests, oldest first."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def open(self, entry: Entry) -> Entry:
        """Begins the record of a request; its status is filled in when it is known."""
        self.entries.append(entry)
        return entry
