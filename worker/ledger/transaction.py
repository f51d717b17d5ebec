"""What the ledger is told and what it answers: accounts, transactions, operations, results.

A transaction's life, with the operation that draws each arrow::

    Create ──► pending ── Update, Post ──► posted ── Reverse ──► (a new transaction with the sides swapped)
       │       │  │  └─── Archive ───────► archived
       │       │  └────── PartialPost ───► (a new posted transaction; the pending one keeps the rest)
       │       └───────── Update ────────► pending, as a new version
       └─────────────────────────────────► posted or archived at once

Posted and archived are final, but for metadata. A transaction goes by its id or by its ``external_id``, which is unique
among the pending and posted transactions of a ledger; archiving frees it. Amounts are whole minor units of the
account's currency. The terms and their meaning are those of Modern Treasury's ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from worker.ledger.written import Written

TransactionKey = str | UUID
"""A transaction's external id, or its id."""

AccountKey = str | UUID
"""An account's external id, or its id."""

MAX_ENTRIES: Final = 1000
"""Entries of one transaction: Modern Treasury's limit."""

MAX_AMOUNT: Final = 10**36 - 1
"""Largest amount in minor units: 36 digits, what ``numeric(36,0)`` stores and Modern Treasury accepts."""

MAX_METADATA_PAIRS: Final = 50
"""Pairs of metadata that a caller may leave on one object: the chart of accounts uses five."""

BALANCE_LOCK_FAILURE: Final = "balance_lock_failure"
"""Reason of a transaction archived instead of refused, in Modern Treasury's words."""


class Unset(Enum):
    """The type of :data:`UNSET`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""Says that an update leaves something as it is, where None would clear it."""


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
    """What a balance must satisfy once the whole transaction is written, or the transaction is refused."""

    balance: BalanceKind
    comparison: Comparison
    amount: int


@dataclass(frozen=True, slots=True)
class CategoryLock:
    """Conditions on the balances of a category, seen from its own normal side, whatever takes effect when.

    It must contain an account of the transaction's entries, directly or nested.
    """

    category_id: UUID
    conditions: tuple[BalanceCondition, ...]


@dataclass(frozen=True, slots=True)
class Ledgerable:
    """The payment, return or the like that a transaction belongs to."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One side of a transaction; ``amount`` is never negative.

    ``lock_version``, when given, is the version the account must still have before this operation. ``effective_at`` is
    the transaction's unless the entry has its own.
    """

    account: AccountKey
    direction: Direction
    amount: int
    lock_version: int | None = None
    conditions: tuple[BalanceCondition, ...] = ()
    effective_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """A transaction to write. It may take effect in the past or the future; None means the moment it is written."""

    external_id: str | None
    status: Status
    effective_at: datetime | None
    description: str | None
    metadata: Mapping[str, str]
    entries: tuple[NewEntry, ...]
    ledgerable: Ledgerable | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Write a transaction. The same external id with the same content again changes nothing.

    With ``archive_on_balance_lock_failure`` a transaction whose expected versions or balance conditions, those on
    categories included, do not hold is written as archived instead of being refused.
    """

    transaction: NewTransaction
    archive_on_balance_lock_failure: bool = False
    category_locks: tuple[CategoryLock, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """Change a transaction; what is :data:`UNSET` stays.

    A final transaction takes new metadata and nothing else; being told what it already is changes nothing. ``metadata``
    is merged: an empty or None value removes its key. ``entries`` replace all there are. ``category_locks`` are judged
    whenever there is something to change.
    """

    transaction: TransactionKey
    status: Status | Unset = UNSET
    description: str | Unset | None = UNSET
    metadata: Mapping[str, str | None] | Unset = UNSET
    effective_at: datetime | Unset = UNSET
    external_id: str | Unset | None = UNSET
    ledgerable: Ledgerable | Unset | None = UNSET
    entries: tuple[NewEntry, ...] | Unset = UNSET
    archived_reason: str | None = None
    category_locks: tuple[CategoryLock, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """Make a pending transaction final; ``effective_at`` moves it in time, None keeps it."""

    transaction: TransactionKey
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """Cancel a pending transaction; ``reason`` is kept with it."""

    transaction: TransactionKey
    reason: str


@dataclass(frozen=True, slots=True)
class PartialPost:
    """Post a part of a pending transaction as a new transaction; the rest stays pending.

    ``entries`` name each account and direction of the pending transaction, each with a smaller amount, or both
    with 0. Without ``effective_at`` the part takes effect at the moment it is written.
    """

    transaction: TransactionKey
    entries: tuple[NewEntry, ...]
    description: str | None = None
    effective_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo the posted transaction ``original`` by a new one with the sides swapped; possible once.

    Without ``effective_at`` each entry is undone at the very moment it took effect.
    """

    original: TransactionKey
    external_id: str | None
    effective_at: datetime | None = None
    status: Status = Status.POSTED
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    ledgerable: Ledgerable | None = None


Operation = Create | Update | Post | Archive | PartialPost | Reverse


class RefusalCode(StrEnum):
    """Why the ledger refused an operation."""

    UNBALANCED = "unbalanced"
    ENTRY_COUNT = "entry_count"
    NEGATIVE_AMOUNT = "negative_amount"
    AMOUNT_TOO_LARGE = "amount_too_large"
    UNKNOWN_ACCOUNT = "unknown_account"
    DISCARDED_ACCOUNT = "discarded_account"
    OTHER_LEDGER = "other_ledger"
    UNKNOWN_TRANSACTION = "unknown_transaction"
    EXTERNAL_ID_TAKEN = "external_id_taken"
    STALE_LOCK_VERSION = "stale_lock_version"
    BALANCE_CONDITION = "balance_condition"
    UNKNOWN_CATEGORY = "unknown_category"
    UNTOUCHED_CATEGORY = "untouched_category"
    CATEGORY_CONDITION = "category_condition"
    NOT_PENDING = "not_pending"
    NOT_POSTED = "not_posted"
    ALREADY_REVERSED = "already_reversed"
    PARTIAL_ENTRIES = "partial_entries"
    PARTIAL_AMOUNT = "partial_amount"
    OF_SETTLEMENT = "of_settlement"
    TOO_MUCH_METADATA = "too_much_metadata"


@dataclass(frozen=True, slots=True)
class Posted:
    """The operation took effect; ``status`` is the transaction's from now on, ``written`` all of it.

    A :class:`PartialPost` answers with the new posted transaction.
    """

    transaction_id: UUID
    status: Status
    written: Written


@dataclass(frozen=True, slots=True)
class Replayed:
    """The operation had already taken effect on this transaction; nothing was written.

    ``written`` is the transaction as it stands, None when the operation only met its external id.
    """

    transaction_id: UUID
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The operation can not take effect and left no trace; ``detail`` says why in a sentence.

    ``place`` is that, from 0, of the operation's entry at fault, or of its category lock when the code speaks of a
    category; None when it is no single one.
    """

    code: RefusalCode
    detail: str
    place: int | None = None


Result = Posted | Replayed | Refused
