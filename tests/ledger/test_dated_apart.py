"""Transactions whose entries take effect at different moments: counted for the days between, without a search."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import asyncpg
import pytest

from tests.api.large_book import write_large_book
from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn
from worker.database import Database
from worker.database import query as statement
from worker.ledger import store
from worker.ledger.book import midnight
from worker.ledger.reading import ApartCount
from worker.ledger.transaction import Create, NewEntry, Post, Reverse, Status, Update

FIRST, BETWEEN, LAST = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
DAYS = (date(2023, 12, 31), FIRST, BETWEEN, date(2024, 2, 29), LAST)


def on(day: date, entry: NewEntry) -> NewEntry:
    return replace(entry, effective_at=midnight(day))


def apart(external_id: str, status: Status = Status.POSTED) -> Create:
    """Cash comes in on the first day as revenue of the last."""
    return create(external_id, on(FIRST, debit(CASH, 5)), on(LAST, credit(REVENUE, 5)), status=status, day=LAST)


async def counts(ledger: Ledger) -> list[int | None]:
    async with ledger.database.connection() as connection:
        return [(await store.count_dated_apart(connection, ledger.id, day)).transactions for day in DAYS]


async def test_transactions_are_counted_from_their_first_day_to_the_day_before_their_last(ledger: Ledger) -> None:
    later = create("later", on(BETWEEN, debit(LOAN, 7)), credit(CASH, 4), credit(REVENUE, 3), day=LAST)
    await ledger.post(earn("ordinary", day=BETWEEN), apart("apart"), later, apart("in flight", Status.PENDING))

    assert await counts(ledger) == [0, 1, 2, 2, 0]
    assert await ledger.findings() == []


async def test_what_becomes_of_a_transaction_counts(ledger: Ledger) -> None:
    await ledger.post(*[apart(name, Status.PENDING) for name in ("posted", "mended", "moved", "dropped")])
    together = (debit(CASH, 5), credit(REVENUE, 5))
    await ledger.post(
        Post("posted"),
        Update("mended", Status.POSTED, entries=together),
        Update("moved", Status.POSTED, effective_at=midnight(BETWEEN)),
        Update("dropped", Status.ARCHIVED),
        earn("ordinary", status=Status.PENDING),
        Update("ordinary", Status.POSTED, entries=(on(FIRST, debit(CASH, 5)), credit(REVENUE, 5))),
    )

    assert await counts(ledger) == [0, 3, 2, 2, 0]
    await ledger.post(Reverse("posted", "as it was"), Reverse("ordinary", "at once", effective_at=midnight(LAST)))
    assert await counts(ledger) == [0, 4, 3, 3, 0]
    assert await ledger.findings() == []


async def test_when_a_posted_transaction_is_dated_apart_never_changes(ledger: Ledger) -> None:
    await ledger.post(apart("apart"))
    async with ledger.database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await connection.execute("update ledger_transactions set dated_apart = null")
    assert refusal.value.sqlstate == "LW002"


async def test_counting_reads_no_entries_and_none_of_the_other_transactions(database: Database) -> None:
    await write_large_book(database, 20_000, 10)
    ledger = await Ledger.open(database, "small beside a large one")
    await ledger.post(earn("ordinary", day=BETWEEN), apart("one"), apart("two"))
    async with database.connection() as connection:
        await connection.execute("analyze")
        lines = await connection.fetch(
            f"explain (analyze, timing off, costs off) {statement('ledger/count_dated_apart')}",
            ledger.id,
            midnight(BETWEEN),
        )
    shown = "\n".join(line[0] for line in lines)
    assert "ledger_transactions_dated_apart" in shown
    assert "Seq Scan" not in shown
    assert "ledger_entries" not in shown


async def test_a_balance_is_shown_though_there_is_no_time_to_count(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.post(apart("apart"))
    slow = "select count(*) from pg_sleep(60) where $1::uuid is not null and $2::timestamptz is not null"
    hurried = "select set_config('statement_timeout', '300', true)"
    monkeypatch.setattr(store, "query", lambda name: slow if name == "ledger/count_dated_apart" else statement(name))
    async with ledger.database.connection() as connection, connection.transaction():
        await connection.execute(hurried)
        assert await store.count_dated_apart(connection, ledger.id, BETWEEN) == ApartCount(None)
        balances = await store.balances(connection, ledger.id, [CASH, REVENUE], BETWEEN)
    assert [balances[name].posted for name in (CASH, REVENUE)] == [5, 0]
