"""The ledger's objects as callers see them, before they become JSON. Pure. All amounts are whole minor units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction, Ledgerable, Status


@dataclass(frozen=True, slots=True)
class Ledger:
    """A set of books."""

    id: UUID
    name: str
    description: str | None
    metadata: dict[str, str]
    discarded_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """What amounts count, and from which side a balance is seen."""

    currency: str
    currency_exponent: int
    normal_balance: Direction


@dataclass(frozen=True, slots=True)
class Account:
    """A ledger account with the sums of the entries that were asked for."""

    id: UUID
    ledger_id: UUID
    external_id: str | None
    name: str
    description: str | None
    unit: Unit
    metadata: dict[str, str]
    ledgerable: Ledgerable | None
    lock_version: int
    sums: Sums
    discarded_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Category:
    """A ledger account category with the sums of all accounts in it, directly or nested."""

    id: UUID
    ledger_id: UUID
    external_id: str | None
    name: str
    description: str | None
    unit: Unit
    metadata: dict[str, str]
    sums: Sums
    discarded_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry after its last write; ``sums`` are its account's after that, None when they are not shown."""

    id: UUID
    transaction_id: UUID
    account_id: UUID
    unit: Unit
    direction: Direction
    amount: int
    status: Status
    effective_at: datetime
    lock_version: int
    sums: Sums | None
    metadata: dict[str, str]
    discarded_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Transaction:
    """A ledger transaction with its live entries, as it stands."""

    id: UUID
    ledger_id: UUID
    external_id: str | None
    status: Status
    description: str | None
    metadata: dict[str, str]
    effective_at: datetime
    effective_date: date
    posted_at: datetime | None
    ledgerable: Ledgerable | None
    reverses: UUID | None
    reversed_by: UUID | None
    partially_posts: UUID | None
    archived_reason: str | None
    created_at: datetime
    updated_at: datetime
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A ledger transaction as it was; ``transaction.created_at`` is when it became so."""

    id: UUID
    version: int
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Statement:
    """An account's balances at two moments, as its entries up to ``lock_version`` make them; it never changes."""

    id: UUID
    ledger_id: UUID
    account_id: UUID
    unit: Unit
    lock_version: int
    description: str | None
    metadata: dict[str, str]
    lower_bound: datetime
    upper_bound: datetime
    starting: Sums
    ending: Sums
    created_at: datetime


class SettlementStatus(StrEnum):
    """Where a settlement stands."""

    DRAFTING = "drafting"
    PENDING = "pending"
    POSTED = "posted"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Settlement:
    """Entries of one account and the transaction that takes their sum to another.

    ``amount`` and ``direction``, that of the entry on the settled account, are None as long as it is drafted.
    """

    id: UUID
    ledger_id: UUID
    settled_account_id: UUID
    contra_account_id: UUID
    unit: Unit
    status: SettlementStatus
    transaction_id: UUID | None
    allow_either_direction: bool
    upper_bound: datetime
    amount: int | None
    direction: Direction | None
    description: str | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime


class MonitorField(StrEnum):
    """What a balance monitor compares."""

    AVAILABLE = "available_balance_amount"
    PENDING = "pending_balance_amount"
    POSTED = "posted_balance_amount"
    LOCK_VERSION = "ledger_account_lock_version"


class Operator(StrEnum):
    """How a balance monitor compares its field (left) with its value."""

    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUALS = "less_than_or_equals"
    EQUALS = "equals"
    GREATER_THAN_OR_EQUALS = "greater_than_or_equals"
    GREATER_THAN = "greater_than"


@dataclass(frozen=True, slots=True)
class AlertCondition:
    """When a monitor is triggered."""

    field: MonitorField
    operator: Operator
    value: int


@dataclass(frozen=True, slots=True)
class Monitor:
    """A balance monitor and the state of its account."""

    id: UUID
    account_id: UUID
    unit: Unit
    condition: AlertCondition
    triggered: bool
    sums: Sums
    lock_version: int
    description: str | None
    metadata: dict[str, str]
    discarded_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an object; ``snapshot`` is the object then, as its writer had it."""

    id: UUID
    resource: str
    name: str
    entity_id: UUID
    snapshot: Mapping[str, Any]
    created_at: datetime
