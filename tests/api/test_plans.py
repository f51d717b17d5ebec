"""The statements of lists, on books of some size: a page never costs a walk through everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from worker.database import Connection, Database, query
from worker.ledger import poster, store
from worker.ledger.transaction import AccountSpec, Create, Direction, NewEntry, NewTransaction, Status

TRANSACTIONS, BATCH, ACCOUNTS = 6_000, 500, 300
START = datetime(2024, 1, 1, tzinfo=UTC)
BIG_TABLES = ("ledger_transactions", "ledger_entries")


@pytest.fixture
async def books(database: Database) -> dict[str, UUID]:
    """Accounts by name: ``hot`` is in every transaction, ``a1`` in few; all in a fresh statistic."""
    names = ["hot", *(f"a{n}" for n in range(ACCOUNTS))]
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, "test")
        specs = [AccountSpec(name, name, Direction.DEBIT, "GBP") for name in names]
        ids = await store.ensure_accounts(connection, ledger_id, specs)
    for first in range(0, TRANSACTIONS, BATCH):
        async with database.transaction() as connection:
            await poster.post(connection, ledger_id, [_transaction(n) for n in range(first, first + BATCH)])
    async with database.connection() as connection:
        await connection.execute("analyze")
    return ids


def _transaction(n: int) -> Create:
    entries = (
        NewEntry("hot", Direction.DEBIT, 5),
        NewEntry(f"a{n % ACCOUNTS}", Direction.CREDIT, 5),
    )
    moment = START + timedelta(minutes=n)
    return Create(NewTransaction(f"e{n}", Status.POSTED, moment, None, {"loanID": f"{n}"}, entries))


async def plan(connection: Connection, name: str, parameters: int, given: dict[int, Any]) -> str:
    """How PostgreSQL would run a statement whose numbered parameters are given and the others left out."""
    async with connection.transaction():
        await connection.execute(query("api/begin_reading"))
        arguments: Sequence[Any] = [given.get(number) for number in range(1, parameters + 1)]
        lines = await connection.fetch(f"explain (costs off) {query(name)}", *arguments)
    return "\n".join(line[0] for line in lines)


async def test_pages_are_read_through_indexes(database: Database, books: dict[str, UUID]) -> None:
    async with database.connection() as connection:
        some = await connection.fetchval("select id from ledger_transactions offset 3000 limit 1")
        newest = {21: "created_at desc", 23: 26}
        for name, parameters, given in (
            ("api/list_transactions", 24, newest),
            ("api/list_transactions", 24, {**newest, 22: some}),
            ("api/list_transactions", 24, {**newest, 4: books["hot"]}),
            ("api/list_transactions", 24, {**newest, 3: [some], 4: books["a1"]}),
            ("api/list_transactions", 24, {**newest, 15: "e77"}),
            ("api/list_transactions", 24, {**newest, 16: some}),
            ("api/list_transactions", 24, {**newest, 20: '{"loanID": "77"}'}),
            ("api/list_entries", 23, {10: False, 19: "id", 22: 26}),
            ("api/list_entries", 23, {3: books["hot"], 10: False, 19: "version", 20: some, 21: 1, 22: 26}),
            ("api/list_entries", 23, {3: books["hot"], 10: False, 19: "effective_at asc", 22: 26}),
            ("api/list_entries", 23, {1: [some], 2: [1], 10: False, 19: "id", 22: 26}),
            ("api/list_transactions", 24, {**newest, 24: some}),
            ("api/list_entries", 23, {10: False, 19: "id", 22: 26, 23: some}),
            ("api/list_versions", 11, {10: 26, 11: some}),
            ("api/find_transactions", 2, {2: "e77"}),
            ("api/list_versions", 11, {1: some, 10: 26}),
        ):
            shown = await plan(connection, name, parameters, given)
            assert not [table for table in BIG_TABLES if f"Seq Scan on {table}" in shown], f"{name} {given}\n{shown}"
