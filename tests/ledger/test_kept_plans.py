"""What a batch of changes reads: the rows it is about, however the books have grown since its plans were made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse
from worker.database import Connection, Database, PoolLimits
from worker.ledger import poster, store
from worker.ledger.transaction import (
    AccountSpec,
    Archive,
    BalanceCondition,
    BalanceKind,
    CategoryLock,
    CategorySpec,
    Comparison,
    Direction,
    Operation,
    PartialPost,
    Post,
    Posted,
    Status,
    Update,
)

CARD = "card"
IMPORTED_TRANSACTIONS = 2_000
IMPORTED_ACCOUNTS = 1_000
ROWS_PER_TABLE = 200
"""Far more than the batch is about, and far fewer than any of the tables has."""

ROWS_READ = """
    select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables
    where relname like 'ledger%'
"""


def opened(name: str) -> Iterator[Operation]:
    """What is changed afterwards."""
    for n in range(6):
        yield earn(f"{name}-{n}", 10, Status.POSTED if n == 5 else Status.PENDING)


def changed(name: str, covered: CategoryLock) -> Iterator[Operation]:
    """One of each change, and one more of the same transaction, which is written in a round of its own."""
    yield Post(f"{name}-0")
    yield Archive(f"{name}-1", "returned")
    yield Update(f"{name}-2", description="another")
    yield Update(f"{name}-3", entries=(debit(LOAN, 7), credit(REVENUE, 7)))
    yield PartialPost(f"{name}-4", (debit(CASH, 1), credit(REVENUE, 1)))
    yield reverse(f"{name}-5", f"{name}-mirrored")
    yield replace(create(f"{name}-6", debit(CARD, 10), credit(REVENUE, 10)), category_locks=(covered,))
    yield Post(f"{name}-2")


async def grow(ledger: Ledger) -> None:
    """Import accounts, each in a category of its own, and transactions, without a look at the statistics."""
    specs = [
        AccountSpec(f"a{n}", "More", Direction.DEBIT, "GBP", {}, (CategorySpec(f"c{n}", "c", Direction.DEBIT, "GBP"),))
        for n in range(IMPORTED_ACCOUNTS)
    ]
    async with ledger.database.transaction() as connection:
        await store.ensure_accounts(connection, ledger.id, specs)
    await ledger.post(*(earn(f"e{n}", 1) for n in range(IMPORTED_TRANSACTIONS)))


async def rows_read(connection: Connection) -> dict[str, int]:
    return {row["relname"]: row["rows"] for row in await connection.fetch(ROWS_READ)}


async def open_cards(ledger: Ledger) -> CategoryLock:
    """Open an account in a category whose balance may not be below zero."""
    cards = CategorySpec("cards", "Cards", Direction.DEBIT, "GBP")
    async with ledger.database.transaction() as connection:
        await store.ensure_accounts(
            connection, ledger.id, [AccountSpec(CARD, "Card", Direction.DEBIT, "GBP", {}, (cards,))]
        )
        category_id = await connection.fetchval("select id from ledger_account_categories where external_id = 'cards'")
    return CategoryLock(category_id, (BalanceCondition(BalanceKind.POSTED, Comparison.GTE, 0),))


async def post_changes(ledger: Ledger, name: str, covered: CategoryLock) -> dict[str, int]:
    """Post a batch of changes; how many rows of each table it read."""
    await ledger.post(*opened(name))
    async with ledger.database.transaction() as connection:
        before = await rows_read(connection)
        results = await poster.post(connection, ledger.id, list(changed(name, covered)))
        after = await rows_read(connection)
    assert {type(result) for result in results} == {Posted}
    return {table: rows - before.get(table, 0) for table, rows in after.items()}


@pytest.fixture
async def session(ledger: Ledger, database_url: str) -> AsyncIterator[Ledger]:
    """The ledger through one session, whose plans are kept; no statistics ever have them made anew."""
    async with Database.open(database_url, limits=PoolLimits(max_connections=1)) as one:
        async with one.connection() as connection:
            for table in await connection.fetch(
                "select relname from pg_class where relname like 'ledger%' and relkind = 'r'"
            ):
                await connection.execute(f"alter table {table[0]} set (autovacuum_enabled = off)")
        yield Ledger(one, ledger.id)


@pytest.mark.parametrize("batches_before", [0, 8])
async def test_a_batch_of_changes_reads_the_rows_it_is_about(session: Ledger, batches_before: int) -> None:
    """Whether its plans were made when the books were empty, or are made without statistics of what they hold."""
    covered = await open_cards(session)
    for n in range(batches_before):
        await post_changes(session, f"early {n}", covered)
    await grow(session)
    for n in range(8):
        read = await post_changes(session, f"late {n}", covered)
        assert not {table: rows for table, rows in read.items() if rows > ROWS_PER_TABLE}
