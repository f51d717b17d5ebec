"""Two sets of books in memory, driven by the loans station's own decisions: the reference for arrival orders.

The ledger here is the bare meaning of its operations and refuses what the real one would refuse.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.loans.events import Delivery
from worker.ledger.transaction import (
    AccountKey,
    Archive,
    Create,
    Direction,
    NewTransaction,
    Operation,
    Post,
    Reverse,
    Status,
    TransactionKey,
)
from worker.loans.batch import Batch, Decided, Incoming, Subject
from worker.loans.decision import Apply, Duplicate, Hold, Refuse
from worker.loans.investor import InvestorAccount
from worker.loans.postings import Postings
from worker.loans.rulebook_file import default_rulebook
from worker.writeback.movement import Movement

POSTINGS = Postings(default_rulebook())

LONGEST_WORK = 100_000
"""Decisions one history may take: far above what the longest one needs, so that a busy loop fails the test."""


@dataclass
class MemoryLedger:
    """Live transactions by external id, and the archived ones."""

    live: dict[TransactionKey, NewTransaction] = field(default_factory=dict)
    archived: list[tuple[TransactionKey, str]] = field(default_factory=list)

    def write(self, operation: Operation) -> None:
        match operation:
            case Create(transaction):
                assert transaction.external_id is not None
                assert transaction.external_id not in self.live
                assert sum(signed(entry.direction, entry.amount) for entry in transaction.entries) == 0
                assert len({entry.direction for entry in transaction.entries}) == 2
                assert all(entry.amount > 0 for entry in transaction.entries)
                self.live[transaction.external_id] = transaction
            case Post(external_id, effective_at):
                pending = self.live[external_id]
                assert pending.status is Status.PENDING
                moment = effective_at or pending.effective_at
                self.live[external_id] = replace(pending, status=Status.POSTED, effective_at=moment)
            case Archive(external_id, reason):
                assert self.live.pop(external_id).status is Status.PENDING
                self.archived.append((external_id, reason))
            case Reverse(original, external_id, moment, status, description, metadata):
                assert external_id is not None
                assert external_id not in self.live
                posted = self.live[original]
                assert posted.status is Status.POSTED
                entries = tuple(replace(entry, direction=entry.direction.opposite) for entry in posted.entries)
                self.live[external_id] = NewTransaction(external_id, status, moment, description, metadata, entries)
            case _:
                raise AssertionError(f"the loans station asks the ledger for no {operation}")

    def contents(
        self,
    ) -> dict[TransactionKey, tuple[Status, datetime | None, str | None, frozenset[tuple[AccountKey, Direction, int]]]]:
        """What must not depend on arrival order: every live transaction with its entries."""
        return {
            external_id: (
                written.status,
                written.effective_at,
                written.description,
                frozenset((entry.account, entry.direction, entry.amount) for entry in written.entries),
            )
            for external_id, written in self.live.items()
        }

    def balances(self) -> dict[AccountKey, int]:
        """Posted debits less credits by account; accounts at zero are left out."""
        balances: Counter[AccountKey] = Counter()
        for written in self.live.values():
            for entry in written.entries:
                if written.status is Status.POSTED:
                    balances[entry.account] += signed(entry.direction, entry.amount)
        return {account: balance for account, balance in balances.items() if balance}


@dataclass
class MemoryBooks:
    """Everything the station keeps, and a queue that releases held events as the real one does."""

    batch: Batch = field(default_factory=lambda: Batch({}, {}, {}, POSTINGS))
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    movements: list[Movement] = field(default_factory=list)
    held: dict[int, tuple[Incoming, Hold]] = field(default_factory=dict)
    outcomes: dict[str, Decided] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    decisions: int = 0

    def deliver(self, *deliveries: Delivery) -> MemoryBooks:
        for delivery in deliveries:
            if delivery.webhook_id in self.seen:
                continue  # the inbox keeps each webhook once
            self.seen.add(delivery.webhook_id)
            self._work(delivery.incoming(len(self.seen)))
        return self

    def decision(self, delivery: Delivery) -> Apply | Hold | Duplicate | Refuse:
        return self.outcomes[delivery.webhook_id].decision

    def applied(self) -> set[str]:
        return {event_id for event_id, one in self.outcomes.items() if isinstance(one.decision, Apply)}

    def _work(self, first: Incoming) -> None:
        queue = deque([first])
        while queue:
            self.decisions += 1
            assert self.decisions < LONGEST_WORK, "events release each other for ever"
            for decided in self._decide(queue.popleft()):
                self._keep(decided)
            queue.extend(self._released())

    def _decide(self, incoming: Incoming) -> list[Decided]:
        already = len(self.batch.decided)
        self.batch.decide_loans([incoming])
        for key in self.batch.investors_concerned([incoming]):
            self.batch.investors.setdefault(key, InvestorAccount(*key))
        self.batch.decide_investors([incoming], self.batch.investors)
        return self.batch.decided[already:]

    def _keep(self, decided: Decided) -> None:
        self.outcomes[decided.incoming.event_id] = decided
        for operation in decided.posting.operations:
            self.ledger.write(operation)
        if decided.movement:
            self.movements.append(decided.movement)
        if isinstance(decided.decision, Hold):
            self.held[decided.incoming.message_id] = (decided.incoming, decided.decision)

    def _released(self) -> list[Incoming]:
        news: dict[Subject, set[str]] = self.batch.news
        freed = [one for one, hold in self.held.values() if hold.needs & news.get(one.subject, set())]
        self.batch.news = {}
        for one in freed:
            del self.held[one.message_id]
        return freed


def signed(direction: Direction, amount: int) -> int:
    return amount if direction is Direction.DEBIT else -amount
