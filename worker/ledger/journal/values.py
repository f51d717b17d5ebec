"""What a journal is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from worker.ledger.journal.names import account_path, commodity
from worker.ledger.transaction import Direction, Status
from worker.money import format_minor

_ROOTS: Final = {
    "cash": "Assets",
    "loan": "Assets",
    "LP": "Liabilities",
    "payable": "Liabilities",
    "revenue": "Income",
    "expense": "Expenses",
}
"""The root of an account by its metadata's ``accountType``; others go by their normal side."""


@dataclass(frozen=True, slots=True)
class JournalAccount:
    """An account as a journal opens it."""

    id: UUID
    external_id: str | None
    name: str
    normal_balance: Direction
    currency: str
    exponent: int
    metadata: Mapping[str, str]

    @property
    def root(self) -> str:
        """Which of the five kinds of account this is."""
        by_side = "Assets" if self.normal_balance is Direction.DEBIT else "Liabilities"
        return _ROOTS.get(self.metadata.get("accountType", ""), by_side)

    @property
    def path(self) -> str:
        """The account's full name in a journal."""
        return f"{self.root}:{account_path(self.external_id, self.id)}"

    @property
    def commodity(self) -> str:
        """The name of the account's currency in a journal."""
        return commodity(self.currency)

    def amount(self, minor: int) -> str:
        """Minor units of the account as decimal text."""
        return format_minor(minor, self.exponent)


@dataclass(frozen=True, slots=True)
class JournalTransaction:
    """A pending or posted transaction with its entries as signed minor units by account, debits positive.

    ``id`` is None for the transactions that carry forward what was before the journal's first day.
    """

    id: UUID | None
    external_id: str | None
    status: Status
    effective_date: date
    description: str | None
    metadata: Mapping[str, str]
    reverses: UUID | None
    reversed: bool
    entries: tuple[tuple[UUID, int], ...]

    @property
    def flag(self) -> str:
        """How beancount and hledger mark what is settled and what is not yet."""
        return "!" if self.status is Status.PENDING else "*"


@dataclass(frozen=True, slots=True)
class JournalHead:
    """What a journal begins with; ``opened_on`` is a day no later than any transaction's."""

    title: str
    opened_on: date
    accounts: tuple[JournalAccount, ...]
