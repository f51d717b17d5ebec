"""Transactions as the books hold them: all that there is to show about one, as plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.content import text_field
from worker.ledger.transaction import Direction, Ledgerable, Status

_ENTRY_BITS: Final = 16
"""The last bits of an entry's id are its number; those of a transaction's id are zero."""


def split_entry_id(entry_id: UUID) -> tuple[UUID, int]:
    """The id of an entry's transaction, and the entry's number."""
    n = entry_id.int & ((1 << _ENTRY_BITS) - 1)
    return UUID(int=entry_id.int - n), n


class LedgerAccount(NamedTuple):
    """What never changes about an account, and whether it is still in use.

    ``sealed`` is what the hash chain seals of it with each of its entries.
    """

    id: UUID
    ledger_id: UUID
    external_id: str | None
    normal_balance: Direction
    currency: str
    currency_exponent: int
    discarded: bool
    sealed: str

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.external_id or str(self.id)


def sealed_text(account_id: UUID, normal_balance: str, currency: str, currency_exponent: int) -> str:
    """What the hash chain seals of an account."""
    return f"{account_id.hex} {normal_balance} {text_field(currency)} {currency_exponent}"


class WrittenEntry(NamedTuple):
    """An entry with the account version and the account's sums that its last write led to.

    ``n`` is its number within its transaction, ``metadata`` JSON text. Its status is its transaction's.
    """

    transaction_id: UUID
    n: int
    account_id: UUID
    direction: Direction
    amount: int
    effective_at: datetime
    metadata: str
    lock_version: int
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int
    created_at: datetime
    updated_at: datetime
    account: LedgerAccount

    @property
    def id(self) -> UUID:
        """Its own id: its transaction's, whose last 16 bits are zero, plus its number."""
        return UUID(int=self.transaction_id.int + self.n)

    @property
    def sums(self) -> Sums:
        """The account's sums after this entry."""
        return Sums(self.posted_debits, self.posted_credits, self.pending_debits, self.pending_credits)


class Written(NamedTuple):
    """A transaction with its live entries; ``metadata`` is JSON text, ``version`` counts its changes from 0."""

    id: UUID
    ledger_id: UUID
    status: Status
    external_id: str | None
    description: str | None
    metadata: str
    effective_at: datetime
    posted_at: datetime | None
    archived_reason: str | None
    ledgerable: Ledgerable | None
    reverses: UUID | None
    reversed_by: UUID | None
    partially_posts: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    entries: tuple[WrittenEntry, ...]

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.external_id or str(self.id)
