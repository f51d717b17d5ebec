"""Several processes post to the same hot accounts at once: nothing is lost, nothing waits for ever."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from worker.database import Database
from worker.ledger import store
from worker.ledger.transaction import AccountSpec, Archive, Direction, Operation, Post, Posted, Result, Status

WRITERS = 6
BATCHES = 12


def batch_of(writer: int, n: int, chance: random.Random) -> list[Operation]:
    """Earnings, guarded spendings, versions read too early, and lives of pending transactions, in no fixed order."""
    name = f"{writer}-{n}"
    operations: list[list[Operation]] = [
        [earn(f"earn-{name}", 10)],
        [spend(f"spend-{name}", chance.randrange(1, 30))],
        [create(f"expect-{name}", debit(CASH, 1, lock_version=chance.randrange(200)), credit(REVENUE, 1))],
        [earn(f"flight-{name}", 5, Status.PENDING), Post(f"flight-{name}")],
        [
            create(f"gone-{name}", debit(LOAN, 3), credit(REVENUE, 3), status=Status.PENDING),
            Archive(f"gone-{name}", "x"),
        ],
        [earn(f"shared-{n}", 4), reverse(f"shared-{n}", f"undo-{n}")],
    ]
    chance.shuffle(operations)
    return [operation for group in operations for operation in group]


async def test_writers_on_the_same_hot_accounts_lose_nothing_and_never_deadlock(ledger: Ledger) -> None:
    async def write(writer: int) -> list[Result]:
        chance = random.Random(writer)
        results: list[Result] = []
        for n in range(BATCHES):
            results += await ledger.post(*batch_of(writer, n, chance))
        return results

    outcomes = await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    assert await ledger.findings() == []
    assert (await ledger.balance(CASH)).available >= 0
    kinds = Counter(type(result) for results in outcomes for result in results)
    assert sum(kinds.values()) == WRITERS * BATCHES * 9
    async with ledger.database.connection() as connection:
        seen = await store.transactions_of(connection, ledger.id, {"loanID": "1"})
    changes = 2 * WRITERS * BATCHES  # each writer's pending transactions change once after they are created
    assert kinds[Posted] == len(seen) + changes
    assert sum(1 for t in seen if t.external_id and t.external_id.startswith("shared-")) == BATCHES


async def test_one_pending_transaction_posted_and_archived_at_once_ends_one_way(ledger: Ledger) -> None:
    for n in range(10):
        await ledger.post(earn(f"t{n}", 1, Status.PENDING))
        results = await asyncio.gather(
            *(ledger.post(o) for o in (Post(f"t{n}"), Archive(f"t{n}", "x"), Post(f"t{n}"), Archive(f"t{n}", "x")))
        )
        assert sum(isinstance(result, Posted) for (result,) in results) == 1
    assert await ledger.findings() == []


async def test_processes_that_open_the_same_accounts_at_once_share_them(database: Database) -> None:
    async def open_accounts(order: int) -> dict[str, object]:
        specs = [AccountSpec(f"account {n}", "Account", Direction.DEBIT, "GBP") for n in range(20)]
        random.Random(order).shuffle(specs)
        async with database.transaction() as connection:
            ledger_id = await store.ensure_ledger(connection, "shared")
            return {"ledger": ledger_id, **await store.ensure_accounts(connection, ledger_id, specs)}

    first, *others = await asyncio.gather(*(open_accounts(order) for order in range(WRITERS)))
    assert len(first) == 21
    assert all(other == first for other in others)
