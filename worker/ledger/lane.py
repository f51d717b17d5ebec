"""What waits to be posted to one ledger, and how much of it makes a batch."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from worker.ledger.transaction import UNSET, Create, Operation, PartialPost, Result, Update

OPERATIONS_PER_BATCH: Final = 256
"""Longest batch: some tens of milliseconds, so that nobody waits for strangers. Longer ones are hardly cheaper."""

ENTRIES_PER_BATCH: Final = 5_000
"""Entries after which a batch takes no further operation, for the same reason: one may have a thousand."""

OPERATIONS_TO_FOLLOW: Final = 16
"""Shortest batch that is decided while another is being written: fewer cost more apart than the overlap saves."""

Ticket = TypeVar("Ticket")
Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Ticket, Reply]):
    """An operation, what shall be remembered of it, and whoever waits for its outcome."""

    operation: Operation
    ticket: Ticket | None
    answer: asyncio.Future[Result | Reply]


@dataclass(slots=True)
class Lane(Generic[Ticket, Reply]):
    """What waits for one ledger."""

    waiting: deque[Waiting[Ticket, Reply]] = field(default_factory=deque)
    company: asyncio.Future[None] | None = None
    """Done once a batch worth following another waits, while somebody wants to know."""

    def add(self, waiting: Waiting[Ticket, Reply]) -> None:
        """Have it wait."""
        self.waiting.append(waiting)
        if self.company and self.is_company and not self.company.done():
            self.company.set_result(None)

    @property
    def is_company(self) -> bool:
        """Whether a batch worth following another waits."""
        return len(self.waiting) >= OPERATIONS_TO_FOLLOW

    async def has_company(self, answered: asyncio.Future[None]) -> bool:
        """Whether a batch worth following another came before everybody in that one was answered."""
        if not self.is_company:
            self.company = answered.get_loop().create_future()
            await asyncio.wait((self.company, answered), return_when=asyncio.FIRST_COMPLETED)
            self.company = None
        return self.is_company and not answered.done()

    def take(self, ahead: int | None) -> list[Waiting[Ticket, Reply]]:
        """The next batch, behind one of so many operations or behind none."""
        batch: list[Waiting[Ticket, Reply]] = []
        most = _fair_share(len(self.waiting), ahead)
        entries = 0
        while self.waiting and len(batch) < most and entries < ENTRIES_PER_BATCH:
            batch.append(self.waiting.popleft())
            entries += _entries_of(batch[-1].operation)
        return batch


def _fair_share(waiting: int, ahead: int | None) -> int:
    """How many of those that wait make the next batch: it and the one after or before it shall be of one size."""
    if ahead is None:
        share = waiting // 2 if waiting >= 2 * OPERATIONS_TO_FOLLOW else waiting
    else:
        share = max(OPERATIONS_TO_FOLLOW, (waiting + ahead + 1) // 2)
    return min(OPERATIONS_PER_BATCH, share)


def _entries_of(operation: Operation) -> int:
    match operation:
        case Create(transaction):
            return len(transaction.entries)
        case PartialPost():
            return len(operation.entries)
        case Update() if operation.entries is not UNSET:
            return len(operation.entries)
        case _:
            return 0
