"""What a batch is decided against, and what it decides to write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from uuid import UUID

from worker.ledger.balance import Sums
from worker.ledger.transaction import AccountKey, Direction, Result, Status, TransactionKey
from worker.ledger.written import LedgerAccount, Written, WrittenEntry


@dataclass(slots=True)
class DayMoves:
    """What a round adds to an account's sums on one day."""

    posted_debits: int = 0
    posted_credits: int = 0
    pending_debits: int = 0
    pending_credits: int = 0

    @property
    def sums(self) -> Sums:
        """The same as plain values."""
        return Sums(self.posted_debits, self.posted_credits, self.pending_debits, self.pending_credits)


@dataclass(slots=True, eq=False)
class Category:
    """A category that conditions name: its sums are locked, and carried along like those of the accounts in it."""

    id: UUID
    normal_balance: Direction
    sums: Sums


@dataclass(slots=True)
class Account:
    """An account whose balance row is locked, with its state after the operations decided so far.

    It is carried along in place: most of what a batch does is to move these numbers.
    """

    fixed: LedgerAccount
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int
    lock_version: int
    days: dict[date, DayMoves] = field(default_factory=dict)
    """What the round being filled adds to each day; empty as long as it does not touch the account."""
    categories: tuple[Category, ...] = ()
    """Those of the book's categories that contain it; none as long as no condition names one."""

    @property
    def sums(self) -> Sums:
        """Its sums as they are now."""
        return Sums(self.posted_debits, self.posted_credits, self.pending_debits, self.pending_credits)

    def move(self, direction: Direction, posted: int, pending: int, day: date) -> None:
        """Put amounts (less than zero takes back) onto one side, effective on ``day``: the account's next version."""
        moves = self.days.get(day)
        if moves is None:
            moves = self.days[day] = DayMoves()
        if direction is Direction.DEBIT:
            self.posted_debits += posted
            self.pending_debits += pending
            moves.posted_debits += posted
            moves.pending_debits += pending
        else:
            self.posted_credits += posted
            self.pending_credits += pending
            moves.posted_credits += posted
            moves.pending_credits += pending
        self.lock_version += 1
        for category in self.categories:
            category.sums = category.sums.moved(direction, posted=posted, pending=pending)


@dataclass(slots=True)
class KnownTransaction:
    """A transaction in the books or decided earlier in the batch, as it stands.

    One that is not ``held`` is not locked: its state is shown without entries and must not be changed.
    """

    state: Written
    content_digest: bytes
    held: bool = True
    settlement_id: UUID | None = None
    """The settlement it carries out, whose amount its entries and its moment belong to."""


class Book:
    """The part of a ledger that a batch touches, at the moment ``now`` of its database transaction."""

    def __init__(
        self,
        ledger_id: UUID,
        now: datetime,
        accounts: Iterable[Account],
        transactions: Iterable[KnownTransaction] = (),
        categories: Iterable[Category] = (),
    ) -> None:
        self.ledger_id = ledger_id
        self.now = now
        self.accounts: dict[AccountKey, Account] = {}
        self.categories = {category.id: category for category in categories}
        self.live: dict[str, KnownTransaction] = {}
        self._archived: dict[str, KnownTransaction] = {}
        self._by_id: dict[UUID, KnownTransaction] = {}
        for account in accounts:
            self.accounts[account.fixed.id] = account
            if account.fixed.external_id is not None and account.fixed.ledger_id == ledger_id:
                self.accounts[account.fixed.external_id] = account
        for transaction in transactions:
            self.keep(transaction)

    def find(self, key: TransactionKey) -> KnownTransaction | None:
        """The transaction with this id, or the live or else last archived one with this external id."""
        if isinstance(key, UUID):
            return self._by_id.get(key)
        return self.live.get(key) or self._archived.get(key)

    def keep(self, transaction: KnownTransaction) -> None:
        """Have the transaction found under its id and its external id."""
        state = transaction.state
        self._by_id[state.id] = transaction
        if state.external_id is None:
            return
        if state.status is not Status.ARCHIVED:
            self.live[state.external_id] = transaction
        elif (other := self._archived.get(state.external_id)) is None or other.state.id <= state.id:
            self._archived[state.external_id] = transaction

    def update(self, transaction: KnownTransaction, state: Written) -> None:
        """Give a transaction its new state, under whose external id it is found from now on."""
        before = transaction.state.external_id
        if before is not None and self.live.get(before) is transaction:
            del self.live[before]
        transaction.state = state
        self.keep(transaction)


class TransactionRow(NamedTuple):
    """A new row of ``ledger_transactions``; ``metadata`` is JSON text, ``dated_apart`` that of a range of moments."""

    id: UUID
    status: str
    external_id: str | None
    description: str | None
    effective_at: datetime
    dated_apart: str | None
    metadata: str
    archived_reason: str | None
    reverses: UUID | None
    partially_posts: UUID | None
    ledgerable_type: str | None
    ledgerable_id: UUID | None
    last_entry: int
    content_digest: bytes


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
    external_id: str | None
    description: str | None
    effective_at: datetime
    dated_apart: str | None
    metadata: str
    archived_reason: str | None
    ledgerable_type: str | None
    ledgerable_id: UUID | None
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


class DayRow(NamedTuple):
    """What to add to a row of ``ledger_account_days``; less than zero takes back."""

    account_id: UUID
    day: date
    posted_debits: int
    posted_credits: int
    pending_debits: int
    pending_credits: int


@dataclass(slots=True)
class Round:
    """What one statement writes. A transaction appears at most once in it, as new or as changed."""

    transactions: list[TransactionRow] = field(default_factory=list)
    entries: list[WrittenEntry] = field(default_factory=list)
    transitions: list[TransitionRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    balances: list[BalanceRow] = field(default_factory=list)
    states: list[Written] = field(default_factory=list)
    """The states that a link of the ledger's chain seals with it, in the order they were written."""
    days: list[DayRow] = field(default_factory=list)

    @property
    def only_creates(self) -> bool:
        """Whether it writes and seals new transactions that refer to no others, and nothing else."""
        others = any(row.reverses or row.partially_posts for row in self.transactions)
        alone = len(self.states) == len(self.transactions) > 0
        return alone and not (self.transitions or self.changes or others)


@dataclass(frozen=True, slots=True)
class Decision:
    """The results of a batch, one for each operation, and the rounds to write, in order."""

    results: list[Result]
    rounds: list[Round]


def midnight(day: date) -> datetime:
    """The moment a business day begins: midnight, UTC."""
    return datetime.combine(day, time.min, UTC)
