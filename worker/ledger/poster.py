"""The one way into the ledger: a batch of operations, each accepted or refused on its own.

The truth is locked before it is read: transactions that will change, then balances, each in one order for everybody,
so that batches on the same accounts follow one another and never deadlock. A batch that only creates takes three
statements however long it is, and one more for the categories if conditions name any: their sums are locked last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, assert_never
from uuid import UUID

from worker.database import Connection
from worker.ids import ENTROPY_BYTES, uuid7
from worker.ledger import posting_store
from worker.ledger.book import Account, Book
from worker.ledger.evaluate import evaluate
from worker.ledger.posting_store import Names
from worker.ledger.transaction import (
    UNSET,
    Archive,
    CategoryLock,
    Create,
    Operation,
    PartialPost,
    Post,
    Result,
    Reverse,
    Update,
)

_COUNTER_BYTES: Final = 2
_ENTRY_NUMBER_BYTES: Final = 2
_RANDOM_BYTES: Final = ENTROPY_BYTES - _COUNTER_BYTES - _ENTRY_NUMBER_BYTES


class Batch(NamedTuple):
    """What became of each operation, and the accounts as they are once it is committed."""

    results: list[Result]
    accounts: Collection[Account]
    now: datetime | None
    """The moment it was decided, None when no account was there to be locked."""


async def post(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> list[Result]:
    """Apply ``operations`` in order inside the caller's transaction; one result for each, in the same order.

    Each is decided as if it were alone; one that is refused leaves no trace and does not disturb the others. The
    caller's transaction must be at PostgreSQL's default isolation, READ COMMITTED, and should take no other locks
    that another poster may hold. ``asyncpg.UniqueViolationError`` means that another process wrote one of the
    external ids on other accounts at this very moment: roll back and call again, which then sees it.
    """
    return (await post_batch(connection, ledger_id, operations)).results


async def post_batch(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> Batch:
    """Do what :func:`post` does, and tell what it leaves behind as well."""
    if not operations:
        return Batch([], (), None)
    book = await _open_book(connection, ledger_id, operations)
    decision = evaluate(book, operations, new_ids())
    if len(decision.rounds) > 1:
        await posting_store.lock_categories(connection, decision.rounds)
    for written in decision.rounds:
        await posting_store.write_round(connection, ledger_id, book.now, written)
    return Batch(decision.results, book.accounts.values(), book.now if book.accounts else None)


@dataclass(slots=True)
class _Mentioned:
    """Everything the operations of a batch name."""

    new: set[str] = field(default_factory=set)
    transactions: Names = field(default_factory=Names)
    accounts: Names = field(default_factory=Names)
    categories: set[UUID] = field(default_factory=set)

    def add(self, operation: Operation) -> None:
        match operation:
            case Create(transaction):
                self._add_new(transaction.external_id)
                self.accounts.add(entry.account for entry in transaction.entries)
                self._add_categories(operation.category_locks)
            case Reverse():
                self._add_new(operation.external_id)
                self.transactions.add([operation.original])
            case Update():
                self._add_new(None if operation.external_id is UNSET else operation.external_id)
                self.transactions.add([operation.transaction])
                self._add_categories(operation.category_locks)
                if operation.entries is not UNSET:
                    self.accounts.add(entry.account for entry in operation.entries)
            case PartialPost():
                self.transactions.add([operation.transaction])
                self.accounts.add(entry.account for entry in operation.entries)
            case Post() | Archive():
                self.transactions.add([operation.transaction])
            case _:
                assert_never(operation)

    def _add_new(self, external_id: str | None) -> None:
        if external_id is not None:
            self.new.add(external_id)

    def _add_categories(self, locks: Iterable[CategoryLock]) -> None:
        self.categories.update(lock.category_id for lock in locks)


async def _open_book(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> Book:
    mentioned = _Mentioned()
    for operation in operations:
        mentioned.add(operation)
    transactions, accounts = mentioned.transactions, mentioned.accounts
    entries = await posting_store.lock_transactions(connection, ledger_id, transactions) if transactions else {}
    accounts.add(entry["account_id"] for rows in entries.values() for entry in rows)
    locked = await posting_store.lock_balances(connection, ledger_id, accounts)
    transactions.add(mentioned.new)
    known = await posting_store.find_transactions(connection, ledger_id, transactions, entries, locked)
    named = mentioned.categories
    categories = await posting_store.lock_named_categories(connection, ledger_id, named, locked) if named else ()
    return Book(ledger_id, locked.now, locked.accounts.values(), known, categories)


def new_ids() -> Iterator[UUID]:
    """Ids of new transactions, in order; their last bytes are zero, room for the numbers of the entries."""
    unix_ms = time.time_ns() // 1_000_000
    counter = 0
    while True:
        drawn = counter.to_bytes(_COUNTER_BYTES, "big") + os.urandom(_RANDOM_BYTES) + bytes(_ENTRY_NUMBER_BYTES)
        yield uuid7(unix_ms, drawn)
        counter = (counter + 1) % (1 << 12)
