"""What the model of the ledger is made of: transactions with their versions and entries, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from worker.ledger.balance import NOTHING, Sums
from worker.ledger.transaction import UNSET, BalanceKind, Comparison, Direction, Ledgerable, NewEntry, Status, Update

BEGINNING_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)

COMPARISONS = {
    Comparison.GT: lambda balance, amount: balance > amount,
    Comparison.GTE: lambda balance, amount: balance >= amount,
    Comparison.LT: lambda balance, amount: balance < amount,
    Comparison.LTE: lambda balance, amount: balance <= amount,
    Comparison.EQ: lambda balance, amount: balance == amount,
}


@dataclass
class Account:
    """An account of the model."""

    normal_balance: Direction
    currency: str
    exponent: int = 2
    discarded: bool = False
    foreign: bool = False
    """Of another ledger."""


class Line(NamedTuple):
    """An entry: its number within the transaction, and the account version and sums that its last write led to."""

    account: str
    direction: Direction
    amount: int
    moment: datetime
    metadata: Mapping[str, str]
    n: int = 0
    version: int = 0
    sums: Sums = NOTHING
    created_at: datetime = END_OF_TIME
    updated_at: datetime = END_OF_TIME
    discarded_at: datetime | None = None


@dataclass(frozen=True)
class State:
    """What a transaction is, or was in one of its versions."""

    status: Status
    name: str | None
    moment: datetime
    written_at: datetime
    lines: tuple[Line, ...] = ()
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    ledgerable: Ledgerable | None = None
    posted_at: datetime | None = None
    reason: str | None = None


@dataclass(eq=False)
class Transaction:
    """A transaction with all its versions, the present one last; ``made_by`` is what a replay is compared with."""

    states: list[State]
    made_by: object
    reverses: Transaction | None = None
    part_of: Transaction | None = None
    gone: list[Line] = field(default_factory=list)
    """Entries that were replaced."""
    settles: bool = False
    """Whether a settlement is carried out by it."""
    id: UUID = field(init=False)
    """What the real ledger calls it, known once that has answered."""

    @property
    def now(self) -> State:
        return self.states[-1]

    @property
    def live(self) -> bool:
        return self.now.status is not Status.ARCHIVED


def added_up(sums: Sums, lines: Iterable[tuple[Status, Line]]) -> Sums:
    """Sums after some lines that are posted, pending or archived."""
    totals = list(sums)
    for status, line in lines:
        side = 0 if line.direction is Direction.DEBIT else 1
        totals[side] += line.amount if status is Status.POSTED else 0
        totals[side + 2] += 0 if status is Status.ARCHIVED else line.amount
    return Sums(*totals)


def total(every: Iterable[Sums]) -> Sums:
    """The sums of several accounts."""
    return Sums(*(sum(side) for side in zip(NOTHING, *every, strict=True)))


def balance_of(sums: Sums, kind: BalanceKind, side: Direction) -> int:
    """Posted, pending or available, seen from the account's normal side."""
    posted_debits, posted_credits, pending_debits, pending_credits = sums
    balances = {
        (BalanceKind.POSTED, Direction.DEBIT): posted_debits - posted_credits,
        (BalanceKind.POSTED, Direction.CREDIT): posted_credits - posted_debits,
        (BalanceKind.PENDING, Direction.DEBIT): pending_debits - pending_credits,
        (BalanceKind.PENDING, Direction.CREDIT): pending_credits - pending_debits,
        (BalanceKind.AVAILABLE, Direction.DEBIT): posted_debits - pending_credits,
        (BalanceKind.AVAILABLE, Direction.CREDIT): posted_credits - pending_debits,
    }
    return balances[kind, side]


def lines_of(entries: Iterable[NewEntry], moment: datetime) -> tuple[Line, ...]:
    return tuple(
        Line(str(entry.account), entry.direction, entry.amount, entry.effective_at or moment, dict(entry.metadata))
        for entry in entries
    )


def merged(metadata: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Metadata after changes; an empty or None value removes its key."""
    whole: dict[str, str | None] = {**metadata, **changes}
    return {key: value for key, value in whole.items() if value}


def changed(state: State, update: Update) -> State:
    """A state as an update wants it, but for new entries; entries move with their transaction unless they differ."""
    moment = state.moment if update.effective_at is UNSET else update.effective_at
    return replace(
        state,
        status=state.status if update.status is UNSET else update.status,
        name=state.name if update.external_id is UNSET else update.external_id,
        moment=moment,
        lines=tuple(x._replace(moment=moment) if x.moment == state.moment else x for x in state.lines),
        description=state.description if update.description is UNSET else update.description,
        metadata=state.metadata if update.metadata is UNSET else merged(state.metadata, update.metadata),
        ledgerable=state.ledgerable if update.ledgerable is UNSET else update.ledgerable,
    )
