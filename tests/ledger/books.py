"""A ledger to test with, and short words for what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from uuid import UUID

from worker.database import Connection, Database
from worker.ids import uuid7
from worker.ledger import chain_store, poster, posting_store, store
from worker.ledger.book import Book, Round, midnight
from worker.ledger.evaluate import evaluate
from worker.ledger.posting_store import Names
from worker.ledger.reading import AccountBalance
from worker.ledger.transaction import (
    AccountSpec,
    Archive,
    BalanceCondition,
    BalanceKind,
    CategorySpec,
    Comparison,
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    Operation,
    Post,
    Result,
    Reverse,
    Status,
)

DAY = date(2024, 3, 1)
CASH, LOAN, REVENUE = "cash", "loan", "revenue"
OVERDRAWN_NEVER = (BalanceCondition(BalanceKind.AVAILABLE, Comparison.GTE, 0),)

ASSETS = CategorySpec("assets", "Assets", Direction.DEBIT, "GBP")
OPERATING = CategorySpec("operating", "Operating", Direction.DEBIT, "GBP", {}, ASSETS)

ACCOUNTS = (
    AccountSpec(CASH, "Cash", Direction.DEBIT, "GBP", {}, (OPERATING, ASSETS)),
    AccountSpec(LOAN, "Principal - Loan 1", Direction.DEBIT, "GBP", {}, (ASSETS,)),
    AccountSpec(REVENUE, "Revenue", Direction.CREDIT, "GBP"),
    AccountSpec("cash-usd", "Cash", Direction.DEBIT, "USD"),
    AccountSpec("revenue-usd", "Revenue", Direction.CREDIT, "USD"),
)

NOBODYS = """
    alter table ledger_accounts disable trigger keep_for_loans;
    alter table ledger_account_categories disable trigger keep_for_loans;
    update ledger_accounts set for_loans = false;
    update ledger_account_categories set for_loans = false;
    call keep_triggers_on();
"""
"""Has no loan event count on any account or category: they may be renamed and discarded like a caller's own."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger with the accounts above."""

    database: Database
    id: UUID

    @classmethod
    async def open(cls, database: Database, name: str = "test") -> Ledger:
        async with database.transaction() as connection:
            ledger_id = await store.ensure_ledger(connection, name)
            await store.ensure_accounts(connection, ledger_id, ACCOUNTS)
            await connection.execute(NOBODYS)
        return cls(database, ledger_id)

    async def post(self, *operations: Operation) -> list[Result]:
        async with self.database.transaction() as connection:
            return await poster.post(connection, self.id, operations)

    async def balance(self, account: str, as_of: date | None = None) -> AccountBalance:
        async with self.database.connection() as connection:
            return (await store.balances(connection, self.id, [account], as_of))[account]

    async def findings(self) -> list[str]:
        async with (
            self.database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            chain = await chain_store.verify_chain(connection, self.id)
            findings = [*await store.verify(connection, self.id), *chain.findings]
            return [f"{found.audit}: {found.detail}" for found in findings]

    async def waiting_for_locks(self) -> int:
        """How many sessions do."""
        async with self.database.connection() as connection:
            return int(await connection.fetchval("select count(distinct pid) from pg_locks where not granted"))

    async def decided(self, connection: Connection, *operations: Operation) -> Round:
        """What the ledger would write for operations that create, for a test to falsify before it is written."""
        names = Names({spec.external_id for spec in ACCOUNTS})
        locked = await posting_store.lock_balances(connection, self.id, names)
        book = Book(self.id, locked.now, locked.accounts.values())
        (written,) = evaluate(book, operations, ids()).rounds
        return written


def ids() -> Iterator[UUID]:
    """Ids for transactions a test writes itself."""
    return (uuid7(n, bytes(10)) for n in count(1))


def debit(account: str, amount: int, *conditions: BalanceCondition, lock_version: int | None = None) -> NewEntry:
    return NewEntry(account, Direction.DEBIT, amount, lock_version, conditions)


def credit(account: str, amount: int, *conditions: BalanceCondition, lock_version: int | None = None) -> NewEntry:
    return NewEntry(account, Direction.CREDIT, amount, lock_version, conditions)


def create(
    external_id: str, *entries: NewEntry, status: Status = Status.POSTED, day: date = DAY, loan: str = "1"
) -> Create:
    description = f"Transaction {external_id}"
    return Create(NewTransaction(external_id, status, midnight(day), description, {"loanID": loan}, entries))


def earn(external_id: str, amount: int = 100, status: Status = Status.POSTED, day: date = DAY) -> Create:
    """Cash comes in as revenue."""
    return create(external_id, debit(CASH, amount), credit(REVENUE, amount), status=status, day=day)


def spend(external_id: str, amount: int) -> Create:
    """Cash goes out for a loan, but only what is there."""
    return create(external_id, debit(LOAN, amount), credit(CASH, amount, *OVERDRAWN_NEVER))


async def post_every_life(ledger: Ledger) -> None:
    """A transaction posted at once, one posted later, one archived and one still pending; and another ledger beside."""
    await ledger.post(
        earn("once", 100),
        create("later", debit(LOAN, 30), credit(CASH, 30), status=Status.PENDING),
        earn("never", 7, Status.PENDING),
        earn("open", 5, Status.PENDING),
    )
    await ledger.post(Post("later"), Archive("never", "no"))
    other = await Ledger.open(ledger.database, "other")
    await other.post(earn("elsewhere", 1))


def reverse(original: str, external_id: str, day: date = DAY) -> Reverse:
    description = f"Reversal of {original}"
    return Reverse(original, external_id, midnight(day), description=description, metadata={"loanID": "1"})
