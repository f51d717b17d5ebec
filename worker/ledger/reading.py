"""What the ledger shows: balances, statements, transactions, and the findings of its own audit. All amounts exact."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.transaction import BalanceKind, Direction, Status


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts of a ledger: every one, or those that satisfy what is given."""

    external_ids: Collection[str] | None = None
    metadata: Mapping[str, str] | None = None
    """Keys and values an account must all carry."""
    account_id: UUID | None = None

    @classmethod
    def of_loan(cls, loan_id: str) -> AccountFilter:
        """Every account kept for a loan."""
        return cls(metadata={"loanID": loan_id})

    @classmethod
    def of_investor(cls, investor_id: str) -> AccountFilter:
        """Every account kept for an investor."""
        return cls(metadata={"investorID": investor_id})


EVERY_ACCOUNT: Final = AccountFilter()


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account with its sums, now or as of a business day; ``lock_version`` is always the present one.

    ``exponent`` is how many decimals the currency's minor unit has: an account may have a currency of its own.
    """

    account_id: UUID
    external_id: str | None
    name: str
    normal_balance: Direction
    currency: str
    exponent: int
    lock_version: int
    sums: Sums

    @property
    def posted(self) -> int:
        """What is settled, in minor units, seen from the normal side."""
        return self.sums.balance(BalanceKind.POSTED, self.normal_balance)

    @property
    def pending(self) -> int:
        """What is settled and in flight, in minor units, seen from the normal side."""
        return self.sums.balance(BalanceKind.PENDING, self.normal_balance)

    @property
    def available(self) -> int:
        """What is settled less what is on its way out, in minor units, seen from the normal side."""
        return self.sums.balance(BalanceKind.AVAILABLE, self.normal_balance)


@dataclass(frozen=True, slots=True)
class ApartCount:
    """How many posted transactions are divided by the end of a day; None when there was no time to count them."""

    transactions: int | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A pending or posted entry of an account; ``sums`` are the account's over the business days up to this line."""

    transaction_id: UUID
    external_id: str | None
    description: str | None
    status: Status
    effective_date: date
    direction: Direction
    amount: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Statement:
    """An account over a period of business days: where it began, every entry, where it ended."""

    opening: AccountBalance
    lines: tuple[StatementLine, ...]
    closing: AccountBalance


@dataclass(frozen=True, slots=True)
class Entry:
    """A live entry of a transaction; ``account`` is the account's external id (its id when it has none)."""

    n: int
    account: str
    direction: Direction
    amount: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as it stands, with its live entries."""

    id: UUID
    external_id: str | None
    status: Status
    effective_date: date
    description: str | None
    metadata: Mapping[str, str]
    reverses: UUID | None
    archived_reason: str | None
    entries: tuple[Entry, ...]


AUDIT_TIMEOUT_SECONDS: Final = 3600.0
"""Longest wait for one statement of an audit, which may read every entry of a billion."""


class Audit(StrEnum):
    """What the ledger checks about itself."""

    CHART = "chart"
    TRANSACTIONS = "transactions"
    ENTRIES = "entries"
    HISTORY = "history"
    BALANCES = "balances"
    VERSIONS = "versions"
    DAYS = "days"
    CATEGORIES = "categories"
    STATEMENTS = "statements"
    SETTLEMENTS = "settlements"
    CHAIN = "chain"
    GUARDS = "guards"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks the books: of which audit, its transaction or account, the row, and what is wrong with it.

    What guards the books, and not those of one ledger, has no subject.
    """

    audit: Audit
    subject: UUID | None
    row: str
    detail: str
