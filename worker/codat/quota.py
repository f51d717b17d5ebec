"""Codat's daily quota of requests, and how long one word of Codat's may keep us waiting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONGEST_CLOSING: Final = timedelta(hours=1)
"""Longest the gate stays shut on one word of Codat's. A quota may grow and a header may be absurd; one request an hour
to find out costs nothing, and a gate shut for a year by a mistake costs everything."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The daily quota as Codat's headers and webhooks tell it; it resets at midnight UTC."""

    limit: int | None
    remaining: int | None
    resets_at: datetime | None
