"""What the ledger is told and what it answers: accounts, transactions, operations, results.

A transaction's life, with the operation that draws each arrow::

    Create ──► pending ── Post ────► posted ── Reverse ──► (a new posted transaction with the sides swapped)
       │          └────── Archive ─► archived
       └──────────────────────────► posted

Posted and archived are final. A transaction is known to its callers by its ``external_id``, which is unique among the
pending and posted transactions of a ledger; archiving frees it. Amounts are whole minor units of the account's
currency. The terms and their meaning are those of Modern Treasury's ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

MAX_ENTRIES: Final = 1000
"""Entries of one transaction: Modern Treasury's limit."""

MAX_AMOUNT: Final = 10**36 - 1
"""Largest amount in minor units: 36 digits, what ``numeric(36,0)`` stores and Modern Treasury accepts."""


class Direction(StrEnum):
    """A side of an entry, and an account's normal side: the one that makes its balance grow."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def opposite(self) -> Direction:
        """The other side."""
        return Direction.CREDIT if self is Direction.DEBIT else Direction.DEBIT


class Status(StrEnum):
    """Where a transaction stands; its entries share it."""

    PENDING = "pending"
    POSTED = "posted"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class CategorySpec:
    """A category an account belongs to, as it should exist; ``parent`` is the category it is nested in."""

    external_id: str
    name: str
    normal_balance: Direction
    currency: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    parent: CategorySpec | None = None


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """A ledger account as it should exist; ``external_id`` names it within its ledger."""

    external_id: str
    name: str
    normal_balance: Direction
    currency: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[CategorySpec, ...] = ()


class BalanceKind(StrEnum):
    """The three balances of an account: settled; settled and in flight; settled less what is on its way out."""

    POSTED = "posted"
    PENDING = "pending"
    AVAILABLE = "available"


class Comparison(StrEnum):
    """How a balance condition compares the balance (left) with its amount (right)."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"


@dataclass(frozen=True, slots=True)
class BalanceCondition:
    """What an account's balance must satisfy once the whole transaction is written, or the transaction is refused."""

    balance: BalanceKind
    comparison: Comparison
    amount: int


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One side of a transaction. ``account`` is an account's external id, ``amount`` is never negative.

    ``lock_version``, when given, is the version the account must still have before this transaction.
    """

    account: str
    direction: Direction
    amount: int
    lock_version: int | None = None
    conditions: tuple[BalanceCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """A transaction to write; the business day may lie in the past or the future."""

    external_id: str
    status: Status
    effective_date: date
    description: str
    metadata: Mapping[str, str]
    entries: tuple[NewEntry, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """Write a transaction. The same external id with the same content again changes nothing."""

    transaction: NewTransaction


@dataclass(frozen=True, slots=True)
class Post:
    """Make a pending transaction final; ``effective_date`` moves its business day, None keeps it."""

    external_id: str
    effective_date: date | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """Cancel a pending transaction; ``reason`` is kept with it."""

    external_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo the posted transaction ``original`` (its external id) by a new posted one; possible once."""

    original: str
    external_id: str
    effective_date: date
    description: str
    metadata: Mapping[str, str]


Operation = Create | Post | Archive | Reverse


class RefusalCode(StrEnum):
    """Why the ledger refused an operation."""

    UNBALANCED = "unbalanced"
    ENTRY_COUNT = "entry_count"
    AMOUNT = "amount"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_TRANSACTION = "unknown_transaction"
    EXTERNAL_ID_TAKEN = "external_id_taken"
    STALE_LOCK_VERSION = "stale_lock_version"
    BALANCE_CONDITION = "balance_condition"
    NOT_PENDING = "not_pending"
    NOT_POSTED = "not_posted"
    ALREADY_REVERSED = "already_reversed"


@dataclass(frozen=True, slots=True)
class Posted:
    """The operation took effect; ``status`` is the transaction's from now on."""

    transaction_id: UUID
    status: Status


@dataclass(frozen=True, slots=True)
class Replayed:
    """The operation had already taken effect on this transaction; nothing was written."""

    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class Refused:
    """The operation can not take effect and left no trace; ``detail`` says why in a sentence."""

    code: RefusalCode
    detail: str


Result = Posted | Replayed | Refused
