"""The ledger as a list of transactions in memory, added up anew each time: what the real one must equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.ledger.books import CASH
from worker.ledger.transaction import (
    UNSET,
    Archive,
    Create,
    Direction,
    NewEntry,
    Operation,
    PartialPost,
    Post,
    Reverse,
    Status,
    Update,
)

WRITTEN, REPLAYED, REFUSED = "written", "replayed", "refused"
END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    """An entry of the model."""

    account: str
    direction: Direction
    amount: int
    moment: datetime


@dataclass
class Transaction:
    """A transaction of the model; ``made_by`` is what a replay is compared with."""

    name: str | None
    status: Status
    moment: datetime
    lines: list[Line]
    made_by: object = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    reverses: Transaction | None = None


class Model:
    """What the ledger should hold, and what it should answer."""

    def __init__(self) -> None:
        self.transactions: list[Transaction] = []

    def sums(self, account: str, before: datetime = END_OF_TIME) -> tuple[int, ...]:
        def total(direction: Direction, *statuses: Status) -> int:
            return sum(
                line.amount
                for transaction in self.transactions
                if transaction.status in statuses
                for line in transaction.lines
                if (line.account, line.direction) == (account, direction) and line.moment < before
            )

        sides = (Direction.DEBIT, Direction.CREDIT)
        held = (Status.POSTED, Status.PENDING)
        return (*(total(side, Status.POSTED) for side in sides), *(total(side, *held) for side in sides))

    def apply(self, operation: Operation) -> str:
        """What the ledger should answer, in one word."""
        match operation:
            case Create():
                return self._create(operation)
            case Update():
                return self._update(operation)
            case Post(name, moment):
                return self._update(Update(name, Status.POSTED, effective_at=moment or UNSET))
            case Archive(name):
                return self._update(Update(name, Status.ARCHIVED))
            case PartialPost():
                return self._post_partially(operation)
            case Reverse():
                return self._reverse(operation)

    def live(self, name: object) -> Transaction | None:
        alive = (t for t in self.transactions if t.name == name and t.status is not Status.ARCHIVED)
        return None if name is None else next(alive, None)

    def find(self, name: object) -> Transaction | None:
        return self.live(name) or next((t for t in reversed(self.transactions) if t.name == name), None)

    def _create(self, create: Create) -> str:
        new = create.transaction
        assert new.effective_at is not None
        made_by = (new.status, new.effective_at, new.entries)
        if known := self.live(new.external_id):
            return REPLAYED if known.made_by == made_by else REFUSED
        if not balanced(new.entries):
            return REFUSED
        made = Transaction(
            new.external_id, new.status, new.effective_at, lines_of(new.entries, new.effective_at), made_by
        )
        made.description, made.metadata = new.description, dict(new.metadata)
        self.transactions.append(made)
        if self._conditions_hold(new.entries):
            return WRITTEN
        if create.archive_on_balance_lock_failure:
            made.status = Status.ARCHIVED
            return WRITTEN
        self.transactions.pop()
        return REFUSED

    def _update(self, update: Update) -> str:
        known = self.find(update.transaction)
        if known is None:
            return REFUSED
        before = (known.status, known.moment, known.lines, known.description, known.metadata, known.name)
        wanted = self._wanted(known, update)
        if known.status is not Status.PENDING:
            same = wanted[:4] == before[:4] and wanted[5] == before[5]
            if known.status is Status.ARCHIVED:
                return REPLAYED if wanted == before and update.entries is UNSET else REFUSED
            known.metadata = wanted[4] if same else known.metadata
            return REFUSED if not same else REPLAYED if wanted == before else WRITTEN
        other = self.live(wanted[5])
        if (other and other is not known) or (update.entries is not UNSET and not balanced(update.entries)):
            return REFUSED
        known.status, known.moment, known.lines, known.description, known.metadata, known.name = wanted
        if update.entries is UNSET:
            return REPLAYED if wanted == before else WRITTEN
        if self._conditions_hold(update.entries):
            return WRITTEN
        known.status, known.moment, known.lines, known.description, known.metadata, known.name = before
        return REFUSED

    def _wanted(
        self, known: Transaction, update: Update
    ) -> tuple[Status, datetime, list[Line], str | None, dict[str, str], str | None]:
        moment = known.moment if update.effective_at is UNSET else update.effective_at
        moved = [
            Line(x.account, x.direction, x.amount, moment if x.moment == known.moment else x.moment)
            for x in known.lines
        ]
        metadata = dict(known.metadata)
        for key, value in {} if update.metadata is UNSET else update.metadata.items():
            metadata.pop(key, None)
            if value:
                metadata[key] = value
        return (
            known.status if update.status is UNSET else update.status,
            moment,
            moved if update.entries is UNSET else lines_of(update.entries, moment),
            known.description if update.description is UNSET else update.description,
            metadata,
            known.name if update.external_id is UNSET else update.external_id,
        )

    def _post_partially(self, part: PartialPost) -> str:
        known = self.find(part.transaction)
        if known is None or known.status is not Status.PENDING or not balanced(part.entries):
            return REFUSED
        left = list(known.lines)
        rest: dict[int, Line] = {}
        for entry in part.entries:
            whole = next((x for x in left if (x.account, x.direction) == (entry.account, entry.direction)), None)
            if whole is None or entry.amount >= whole.amount:
                return REFUSED
            left.remove(whole)
            place = next(n for n, x in enumerate(known.lines) if x is whole)
            rest[place] = Line(whole.account, whole.direction, whole.amount - entry.amount, whole.moment)
        if left:
            return REFUSED
        before = known.lines
        known.lines = [rest[n] for n in range(len(before))]
        assert part.effective_at is not None
        lines = lines_of(part.entries, part.effective_at)
        self.transactions.append(Transaction(None, Status.POSTED, part.effective_at, lines))
        if self._conditions_hold(part.entries):
            return WRITTEN
        self.transactions.pop()
        known.lines = before
        return REFUSED

    def _reverse(self, reversal: Reverse) -> str:
        made_by = (reversal.original, reversal.effective_at, reversal.status)
        if known := self.live(reversal.external_id):
            return REPLAYED if known.made_by == made_by else REFUSED
        original = self.find(reversal.original)
        if original is None or original.status is not Status.POSTED:
            return REFUSED
        if any(t.reverses is original and t.status is not Status.ARCHIVED for t in self.transactions):
            return REFUSED
        moment = reversal.effective_at
        lines = [Line(x.account, x.direction.opposite, x.amount, moment or x.moment) for x in original.lines]
        self.transactions.append(
            Transaction(
                reversal.external_id,
                reversal.status,
                moment or original.moment,
                lines,
                made_by,
                reversal.description,
                dict(reversal.metadata),
                original,
            )
        )
        return WRITTEN

    def _conditions_hold(self, entries: Sequence[NewEntry]) -> bool:
        """The one condition that is drawn: cash is never overdrawn."""
        debits, _, _, pending_credits = self.sums(CASH)
        return debits >= pending_credits or not any(entry.conditions for entry in entries)


def balanced(entries: Sequence[NewEntry]) -> bool:
    return not sum(e.amount if e.direction is Direction.DEBIT else -e.amount for e in entries)


def lines_of(entries: Sequence[NewEntry], moment: datetime) -> list[Line]:
    return [Line(str(e.account), e.direction, e.amount, e.effective_at or moment) for e in entries]
