"""What a batch is decided against, and what it decides to write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction, NewTransaction, Result, Reverse, Status


@dataclass(slots=True)
class Account:
    """An account whose balance row is locked, with its state after the operations decided so far."""

    id: UUID
    external_id: str | None
    normal_balance: Direction
    unit: tuple[str, int]
    """Currency and exponent: what a transaction must balance in."""
    sums: Sums
    lock_version: int


class Leg(NamedTuple):
    """An entry as the books hold it; ``n`` is its number within its transaction."""

    n: int
    account_id: UUID
    direction: Direction
    amount: int


@dataclass(slots=True)
class KnownTransaction:
    """A transaction in the books or decided earlier in the batch.

    ``legs`` are its live entries; None when it appeared too late to be locked, and so cannot be changed by this batch.
    """

    id: UUID
    status: Status
    content_digest: bytes
    effective_at: datetime
    legs: tuple[Leg, ...] | None
    reversed: bool = False


@dataclass(slots=True)
class Book:
    """The part of a ledger that a batch touches. ``live`` are the pending and posted transactions by external id."""

    accounts: dict[UUID, Account]
    live: dict[str, KnownTransaction]
    archived: dict[str, KnownTransaction]
    by_external_id: dict[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        self.by_external_id = {a.external_id: a for a in self.accounts.values() if a.external_id is not None}


class TransactionRow(NamedTuple):
    """A new row of ``ledger_transactions``; ``metadata`` is JSON text."""

    id: UUID
    status: str
    external_id: str
    description: str
    effective_at: datetime
    metadata: str
    reverses: UUID | None
    last_entry: int
    content_digest: bytes


class EntryRow(NamedTuple):
    """A new row of ``ledger_entries``; the sums are the account's after it."""

    transaction_id: UUID
    n: int
    account_id: UUID
    direction: str
    amount: int
    effective_at: datetime
    lock_version: int
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int


class TransitionRow(NamedTuple):
    """A new row of ``ledger_entry_transitions``; the sums are the account's after it."""

    transaction_id: UUID
    n: int
    account_id: UUID
    to_status: str
    lock_version: int
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int


class ChangeRow(NamedTuple):
    """The new state of a row of ``ledger_transactions``."""

    id: UUID
    status: str
    archived_reason: str | None
    effective_at: datetime
    first_entry: int
    last_entry: int


class BalanceRow(NamedTuple):
    """The new state of a row of ``ledger_account_balances``."""

    account_id: UUID
    lock_version: int
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int


@dataclass(slots=True)
class Round:
    """What one statement writes. A transaction appears at most once in it, as new or as changed."""

    transactions: list[TransactionRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    transitions: list[TransitionRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    balances: list[BalanceRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decision:
    """The results of a batch, one for each operation, and the rounds to write, in order."""

    results: list[Result]
    rounds: list[Round]


def midnight(day: date) -> datetime:
    """The moment a business day begins: midnight, UTC."""
    return datetime.combine(day, time.min, UTC)


def content_of(transaction: NewTransaction) -> bytes:
    """Fingerprint of what a transaction does to the books; description and metadata are annotations, not part of it."""
    return _digest(
        [
            transaction.status,
            transaction.effective_date.isoformat(),
            [[entry.account, entry.direction, entry.amount] for entry in transaction.entries],
        ]
    )


def content_of_reversal(reversal: Reverse) -> bytes:
    """Fingerprint of what a reversal does to the books."""
    return _digest(["reverses", reversal.original, reversal.effective_date.isoformat()])


def metadata_text(metadata: Mapping[str, str]) -> str:
    """Metadata as the JSON text its column takes."""
    return json.dumps(dict(metadata))


def _digest(content: list[object]) -> bytes:
    return hashlib.sha256(json.dumps(content).encode("ascii")).digest()
