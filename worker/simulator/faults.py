"""Faults that can be arranged, and the matching of requests, pushes and webhooks against them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Final

import msgspec


class FaultKind(StrEnum):
    """What goes wrong. *Before* and *after* are relative to the request taking effect."""

    STATUS_BEFORE = "status_before"
    STATUS_AFTER = "status_after"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    DELAY = "delay"
    RATE_LIMIT = "rate_limit"
    DISCONNECT = "disconnect"
    PUSH_FAILS = "push_fails"
    PUSH_STAYS_PENDING = "push_stays_pending"
    PUSH_TIMES_OUT_THEN_SUCCEEDS = "push_times_out_then_succeeds"
    PUSH_TIMES_OUT_BUT_WRITTEN = "push_times_out_but_written"
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_DUPLICATED = "webhook_duplicated"
    WEBHOOK_REORDERED = "webhook_reordered"
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_CONTRADICTED = "webhook_contradicted"
    WEBHOOK_EARLY = "webhook_early"


REQUEST_FAULTS: Final = frozenset(
    {
        FaultKind.STATUS_BEFORE,
        FaultKind.STATUS_AFTER,
        FaultKind.CUT_BEFORE,
        FaultKind.CUT_AFTER,
        FaultKind.DELAY,
        FaultKind.RATE_LIMIT,
        FaultKind.DISCONNECT,
    }
)
PUSH_FAULTS: Final = frozenset(kind for kind in FaultKind if kind.startswith("push_")) | {FaultKind.WEBHOOK_EARLY}
DELIVERY_FAULTS: Final = frozenset(
    {
        FaultKind.WEBHOOK_LOST,
        FaultKind.WEBHOOK_DUPLICATED,
        FaultKind.WEBHOOK_REORDERED,
        FaultKind.WEBHOOK_LATE,
    }
)
CONTRADICTION: Final = frozenset({FaultKind.WEBHOOK_CONTRADICTED})


class Match(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """What a fault applies to; ``path`` and ``event_type`` are shell patterns (``*/push/transfers``)."""

    method: str | None = None
    path: str | None = None
    data_type: str | None = None
    company_id: str | None = None
    event_type: str | None = None


class Fault(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """One arranged fault: for the next ``times`` matches, or for each match with ``probability``, or both.

    ``seconds`` is simulated time (of a delay or a late webhook), ``copies`` how often a duplicated webhook comes,
    ``retry_after`` the literal header of a 429 (left out when None).
    """

    kind: FaultKind
    match: Match = Match()
    times: int | None = None
    probability: Decimal | None = None
    status: int = 500
    retry_after: str | None = "1"
    seconds: Decimal = Decimal(60)
    copies: int = 2
    item_id: str = "Simulated"
    message: str = "The accounting software refused the record."

    def __post_init__(self) -> None:
        if self.times is None and self.probability is None:
            self.times = 1

    @property
    def wait(self) -> timedelta:
        """``seconds`` of simulated time."""
        return timedelta(microseconds=int(self.seconds * 10**6))


class Occasion(msgspec.Struct, frozen=True):
    """Something a fault may happen to."""

    method: str = ""
    path: str = ""
    data_type: str = ""
    company_id: str = ""
    event_type: str = ""


class Faults:
    """The arranged faults, in the order they were arranged."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._arranged: list[Fault] = []

    def arrange(self, faults: list[Fault]) -> None:
        self._arranged += faults

    def clear(self) -> None:
        self._arranged.clear()

    @property
    def arranged(self) -> list[Fault]:
        return list(self._arranged)

    def take(self, kinds: frozenset[FaultKind], occasion: Occasion) -> Fault | None:
        """The first fault of these kinds that strikes now; its count goes down by one."""
        for fault in self._arranged:
            if fault.kind in kinds and _matches(fault.match, occasion) and self._strikes(fault):
                if fault.times is not None:
                    fault.times -= 1
                    self._arranged = [f for f in self._arranged if f.times != 0]
                return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        return fault.probability is None or self._rng.randrange(10**6) < fault.probability * 10**6


def _matches(match: Match, occasion: Occasion) -> bool:
    return (
        match.method in {None, occasion.method}
        and match.data_type in {None, occasion.data_type}
        and match.company_id in {None, occasion.company_id}
        and (match.path is None or fnmatchcase(occasion.path, match.path))
        and (match.event_type is None or fnmatchcase(occasion.event_type, match.event_type))
    )
