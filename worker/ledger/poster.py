"""The one way into the ledger: a batch of operations, each accepted or refused on its own.

The truth is locked before it is read: transactions that will change, then balances, each in one order for everybody,
so that batches on the same accounts follow one another and never deadlock. A batch that only creates takes three
statements however long it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from worker.database import Connection
from worker.ids import ENTROPY_BYTES, uuid7
from worker.ledger import store
from worker.ledger.book import Book
from worker.ledger.evaluate import evaluate
from worker.ledger.transaction import Create, Operation, Result, Reverse

_COUNTER_BYTES: Final = 2
_ENTRY_NUMBER_BYTES: Final = 2
_RANDOM_BYTES: Final = ENTROPY_BYTES - _COUNTER_BYTES - _ENTRY_NUMBER_BYTES


async def post(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> list[Result]:
    """Apply ``operations`` in order inside the caller's transaction; one result for each, in the same order.

    Each is decided as if it were alone; one that is refused leaves no trace and does not disturb the others. The
    caller's transaction must be at PostgreSQL's default isolation, READ COMMITTED, and should take no other locks
    that another poster may hold. ``asyncpg.UniqueViolationError`` means that another process wrote one of the
    external ids on other accounts at this very moment: roll back and call again, which then sees it.
    """
    if not operations:
        return []
    book = await _open_book(connection, ledger_id, operations)
    decision = evaluate(book, operations, _new_ids())
    for written in decision.rounds:
        await store.write_round(connection, ledger_id, written)
    return decision.results


async def _open_book(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> Book:
    external_ids: set[str] = set()
    referred: set[str] = set()
    named_accounts: set[str] = set()
    for operation in operations:
        match operation:
            case Create(transaction):
                external_ids.add(transaction.external_id)
                named_accounts.update(entry.account for entry in transaction.entries)
            case Reverse():
                external_ids.add(operation.external_id)
                referred.add(operation.original)
            case _:
                referred.add(operation.external_id)
    legs = await store.lock_transactions(connection, ledger_id, referred) if referred else {}
    held_accounts = {leg.account_id for entries in legs.values() for leg in entries}
    accounts = await store.lock_balances(connection, ledger_id, named_accounts, held_accounts)
    live, archived = await store.find_transactions(connection, ledger_id, external_ids | referred, legs)
    return Book(accounts, live, archived)


def _new_ids() -> Iterator[UUID]:
    """Ids in the order of the batch; their last bytes are zero, room for the numbers of the entries."""
    unix_ms = time.time_ns() // 1_000_000
    counter = 0
    while True:
        drawn = counter.to_bytes(_COUNTER_BYTES, "big") + os.urandom(_RANDOM_BYTES) + bytes(_ENTRY_NUMBER_BYTES)
        yield uuid7(unix_ms, drawn)
        counter = (counter + 1) % (1 << 12)
