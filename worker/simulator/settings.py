"""What a simulator run can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

DEFAULT_PORT: Final = 9000
"""Where ``writeback simulator`` listens unless told otherwise."""

REQUESTS_PER_MINUTE: Final = 1000
"""Requests one address may send a minute before Codat refuses it."""

IN_FLIGHT_PER_COMPANY: Final = 10
"""Requests one company may have in flight at once."""


class HeaderStyle(StrEnum):
    """How signed webhooks spell their three headers: the standard's own names, or those of Codat's sender, Svix."""

    STANDARD = "webhook"
    SVIX = "svix"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of simulated time from which one delay is drawn."""

    shortest: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """Settings of one simulator; every default is what Codat does, on a machine of one's own.

    ``speed`` is simulated seconds per real second. ``starts_at`` is the simulated time of the start (the real one when
    absent) and must carry a time zone. ``daily_quota`` replaces Codat's own sum (1000 a day, and 1000 more for every
    connected company). Legacy webhooks are sent when ``legacy_webhook_url`` is set.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    seed: int = 1
    api_key: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None
    header_style: HeaderStyle = HeaderStyle.STANDARD
    legacy_webhook_url: str | None = None
    legacy_authorization: str | None = None
    speed: Fraction = Fraction(1)
    starts_at: datetime | None = None
    push_delay: Span = Span(timedelta(milliseconds=50), timedelta(milliseconds=300))
    sync_delay: Span = Span(timedelta(milliseconds=50), timedelta(milliseconds=200))
    feed_delay: Span = Span(timedelta(milliseconds=50), timedelta(milliseconds=200))
    daily_quota: int | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    in_flight_per_company: int = IN_FLIGHT_PER_COMPANY
