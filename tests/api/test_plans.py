"""The statements of lists, on a book of some size: a page never costs a walk through everything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from tests.api.large_book import write_large_book
from worker.api import entries_store, settlements_store
from worker.api.entries_store import EntryFilter, EntryView
from worker.api.ids import split_entry_id
from worker.api.query import Page, Range
from worker.database import Connection, Database, query

TRANSACTIONS, ACCOUNTS = 100_000, 300
BIG_TABLES = ("ledger_transactions", "ledger_entries")
A_DAY_IN, A_DAY_LATER = datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 5, 1, tzinfo=UTC)
PAGES = "select relpages from pg_class where oid = 'ledger_entries_version'::regclass"
PAGES_READ = """
    select heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit from pg_statio_user_tables
    where relname = 'ledger_entries'
"""
NEWEST = {21: "created_at desc", 23: 26}
EFFECTIVE = {21: "effective_at desc", 23: 26}


@pytest.fixture
async def books(database: Database) -> dict[str, UUID]:
    """Accounts by name: ``hot`` is in every transaction, ``a1`` in few."""
    return await write_large_book(database, TRANSACTIONS, ACCOUNTS)


async def plan(connection: Connection, name: str, parameters: int, given: dict[int, Any]) -> str:
    """How PostgreSQL would run a statement whose numbered parameters are given and the others left out."""
    async with connection.transaction():
        await connection.execute(query("api/begin_reading"))
        arguments: Sequence[Any] = [given.get(number) for number in range(1, parameters + 1)]
        lines = await connection.fetch(f"explain (costs off) {query(name)}", *arguments)
    return "\n".join(line[0] for line in lines)


def read_whole(shown: str, *tables: str) -> list[str]:
    """The tables that a plan reads from end to end."""
    return [table for table in tables if re.search(rf"Seq Scan on {table}\b", shown)]


def entries(order: str, **given: Any) -> tuple[str, int, dict[int, Any]]:
    """A list of entries: filters are spelt ``p`` and the number of their parameter."""
    return "api/list_entries", 27, {10: False, 19: order, 22: 26} | {int(n[1:]): value for n, value in given.items()}


def transactions(given: dict[int, Any]) -> tuple[str, int, dict[int, Any]]:
    return "api/list_transactions", 24, given


def lists(hot: UUID, cold: UUID, some: UUID) -> list[tuple[str, int, dict[int, Any]]]:
    """Statements with their first or a deep page's parameters; ``some`` transaction is in the middle."""
    stretch = {"p25": A_DAY_LATER, "p26": A_DAY_IN}
    cursor: dict[str, Any] = {"p20": some, "p21": 1}
    return [
        *(transactions(order | after) for order in (NEWEST, EFFECTIVE) for after in ({}, {22: some})),
        *(transactions(order | {4: hot} | after) for order in (NEWEST, EFFECTIVE) for after in ({}, {22: some})),
        transactions({21: "effective_at asc", 23: 26, 22: some}),
        transactions({**NEWEST, 3: [some], 4: cold}),
        transactions({**NEWEST, 9: A_DAY_IN}),
        transactions({**NEWEST, 10: datetime(2024, 1, 12, tzinfo=UTC)}),
        transactions({**NEWEST, 14: ["pending"]}),
        transactions({**NEWEST, 15: "e77"}),
        transactions({**NEWEST, 16: some}),
        transactions({**NEWEST, 19: "payment_order"}),
        transactions({**NEWEST, 20: '{"loanID": "77"}'}),
        transactions({**NEWEST, 24: some}),
        entries("id"),
        entries("id", **cursor),
        entries("version", p3=hot, **cursor),
        entries("version", p3=hot, p12=100),
        entries("effective_at asc", p3=hot),
        entries("effective_at desc", p3=hot, **cursor),
        entries("few", p3=hot, p5=A_DAY_IN, p6=A_DAY_LATER),
        entries("created_at desc", p3=cold, **stretch, **cursor),
        entries("created_at desc", **stretch, **cursor),
        entries("effective_at desc", **stretch, **cursor),
        entries("id", p24=[some]),
        entries("id", p18='{"a": "b"}'),
        entries("id", p1=[some], p2=[1]),
        entries("id", p23=some),
        ("api/entries_window", 5, {1: "created_at desc", 2: hot, 3: some, 4: 1, 5: 256}),
        ("api/entries_window", 5, {1: "created_at asc", 3: some, 4: 1, 5: 256}),
        ("api/entries_window", 5, {1: "effective_at desc", 3: some, 4: 1, 5: 256}),
        *(("api/few_transactions", 4, {place: some, 4: 10_000}) for place in (1, 2, 3)),
        ("api/few_unposted", 2, {1: ["pending"], 2: 10_000}),
        ("api/few_effective", 3, {1: A_DAY_IN, 2: A_DAY_LATER, 3: 10_000}),
        ("api/few_entries", 4, {1: hot, 2: A_DAY_IN, 3: A_DAY_LATER, 4: 10_000}),
        ("api/few_of_entries", 4, {1: A_DAY_IN, 2: A_DAY_LATER, 4: 10_000}),
        ("api/few_of_versions", 3, {1: 90_000, 3: 10_000}),
        ("api/few_of_versions", 3, {1: 5, 2: 6, 3: 10_000}),
        ("api/list_versions", 11, {10: 26}),
        ("api/list_versions", 11, {8: some, 9: 0, 10: 26}),
        ("api/list_versions", 11, {6: 1, 10: 26}),
        ("api/list_versions", 11, {10: 26, 11: some}),
        ("api/list_versions", 11, {1: some, 10: 26}),
        ("api/find_transactions", 2, {2: "e77"}),
    ]


async def test_pages_are_read_through_indexes(database: Database, books: dict[str, UUID]) -> None:
    async with database.connection() as connection:
        some = await connection.fetchval("select id from ledger_transactions where external_id = 'e50000'")
        for name, parameters, given in lists(books["hot"], books["a1"], some):
            shown = await plan(connection, name, parameters, given)
            assert not read_whole(shown, *BIG_TABLES), f"{name} {given}\n{shown}"


@pytest.mark.parametrize("amounts", [(5000, 5001), (5000, None), (None, 1)])
async def test_an_amount_that_no_entry_has_is_not_looked_for_in_every_entry(
    database: Database, books: dict[str, UUID], amounts: tuple[int | None, int | None]
) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval(query("api/few_of_amount"), *amounts, 10) == []
        asked = f"explain (analyze, buffers, costs off) {query('api/few_of_amount')}"
        shown = "\n".join(line[0] for line in await connection.fetch(asked, *amounts, 10))
        pages = await connection.fetchval("select relpages from pg_class where oid = 'ledger_entries'::regclass")
    read = sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", shown.split("Planning")[0]))
    assert 0 < read < pages / 10, shown


async def pages_read(connection: Connection) -> int:
    """Of entries and their indexes, by anybody and so far."""
    await connection.execute("select pg_stat_force_next_flush()")
    return int(await connection.fetchval(PAGES_READ))


async def test_entries_that_are_many_and_old_are_found_without_a_walk_through_the_newer_ones(
    database: Database, books: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every account has the version. Page by page all come, newest first, each for less than a look at all versions."""
    monkeypatch.setattr(entries_store, "FEW", ACCOUNTS // 10)
    monkeypatch.setattr(entries_store, "NEAR", 50)
    any_amount: Range[int] = Range()
    of_version = Range(3, 4), None, None, None, any_amount, None, None
    which = EntryFilter(None, None, None, Range(), Range(), None, True, *of_version)
    view = EntryView("id", show_balances=False)
    shown: list[UUID] = []
    async with database.connection() as connection:
        wanted = await connection.fetch(
            "select transaction_id, n from ledger_entries where lock_version = 3 order by 1, 2"
        )
        pages, read = await connection.fetchval(PAGES), [await pages_read(connection)]
        while len(shown) < len(wanted):
            page = Page(20, shown[-1] if shown else None)
            async with connection.transaction():
                await connection.execute(query("api/begin_reading"))
                entries = await entries_store.list_entries(connection, which, view, page)
            assert len(entries) == min(21, len(wanted) - len(shown))
            shown += [entry.id for entry in entries[:20]]
            read.append(await pages_read(connection))
    assert max(after - before for before, after in pairwise(read)) < pages
    assert [split_entry_id(entry_id) for entry_id in reversed(shown)] == [tuple(row) for row in wanted]


async def test_the_balance_at_a_moment_looks_only_at_transactions_that_were_not_posted_at_once(
    database: Database, books: dict[str, UUID]
) -> None:
    async with database.connection() as connection:
        lines = await connection.fetch(
            "explain (analyze, timing off, costs off) select * from ledger_sums_before($1, $2)",
            books["hot"],
            A_DAY_LATER,
        )
        others = await connection.fetchval(
            "select count(*) from ledger_entries where account_id = $1 and not posted_at_once"
            " and effective_at >= $2 and effective_at < $3",
            *(books["hot"], A_DAY_IN, A_DAY_LATER),
        )
    shown = "\n".join(line[0] for line in lines)
    assert others > 0
    assert re.search(rf"on ledger_transactions t \(actual rows=1(\.00)? loops={others}\)", shown), shown
    assert not read_whole(shown, *BIG_TABLES), shown


async def test_a_settlement_reads_what_came_since_the_last_one(database: Database, books: dict[str, UUID]) -> None:
    async with database.transaction() as connection:
        settlement = await connection.fetchval(
            query("api/insert_settlement"),
            await connection.fetchval("select ledger_id from ledger_accounts where id = $1", books["hot"]),
            books["hot"],
            books["a1"],
            True,
            None,
            None,
            "{}",
        )
        await settlements_store.hold_settling(connection, books["hot"])
        assert await settlements_store.claim_due_entries(connection, settlement, books["hot"]) > 0
    statements = (
        ("api/claim_new_entries", 4, {1: settlement, 2: books["hot"], 3: TRANSACTIONS - 100, 4: TRANSACTIONS}),
        ("api/claim_open_entries", 3, {1: settlement, 2: books["hot"], 3: settlements_store.STEP}),
        ("api/reopen_entries", 2, {1: books["hot"], 2: settlements_store.STEP}),
    )
    async with database.connection() as connection:
        await connection.execute("vacuum analyze")
        for name, parameters, given in statements:
            shown = await plan(connection, name, parameters, given)
            assert not read_whole(shown, *BIG_TABLES, "ledger_account_settlement_entries"), shown
