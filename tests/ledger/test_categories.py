"""Categories' sums are those of the accounts in them, however these got there."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Final
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.books import ASSETS, CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn
from worker.database import Connection, Database, PoolLimits
from worker.ledger import store
from worker.ledger.balance import Sums
from worker.ledger.transaction import AccountSpec, Archive, Create, Direction, Post, Status

LEDGER_NUMBERS = count(1)
CATEGORIES: Final = 5
JOIN: Final = "insert into ledger_account_category_members values ($1, $2) on conflict do nothing"
LEAVE: Final = "delete from ledger_account_category_members where category_id = $1 and account_id = $2"
NEST: Final = "insert into ledger_account_category_nestings values ($1, $2) on conflict do nothing"
UNNEST: Final = "delete from ledger_account_category_nestings where parent_id = $1 and child_id = $2"

categories = st.integers(0, CATEGORIES - 1)
accounts = st.sampled_from((CASH, LOAN, REVENUE))
MEMBERSHIPS = st.tuples(st.sampled_from((JOIN, JOIN, LEAVE)), categories, accounts)
NESTINGS = st.tuples(st.sampled_from((NEST, NEST, UNNEST)), categories, categories)
POSTINGS = st.tuples(st.just("post"), st.integers(1, 9), st.sampled_from(Status))


async def make_categories(connection: Connection, ledger: Ledger) -> list[UUID]:
    rows = await connection.fetch(
        "insert into ledger_account_categories (ledger_id, name, normal_balance, currency, currency_exponent) "
        "select $1, 'Category ' || n, 'debit', 'GBP', 2 from generate_series(1, $2) n returning id",
        ledger.id,
        CATEGORIES,
    )
    return [row["id"] for row in rows]


async def sums_of(ledger: Ledger, category_id: UUID) -> Sums:
    async with ledger.database.connection() as connection:
        row = await connection.fetchrow("select * from ledger_category_balances where category_id = $1", category_id)
    assert row is not None
    return Sums(row["posted_debits"], row["posted_credits"], row["pending_debits"], row["pending_credits"])


async def account_ids(connection: Connection, ledger: Ledger) -> dict[str, UUID]:
    rows = await connection.fetch("select external_id, id from ledger_accounts where ledger_id = $1", ledger.id)
    return {row["external_id"]: row["id"] for row in rows}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(MEMBERSHIPS, NESTINGS, POSTINGS), min_size=1, max_size=30))
async def test_postings_memberships_and_nestings_in_any_order_keep_the_sums(
    database: Database, steps: list[tuple[str, int, object]]
) -> None:
    ledger = await Ledger.open(database, f"ledger {next(LEDGER_NUMBERS)}")
    async with database.connection() as connection:
        ids = await make_categories(connection, ledger)
        known = await account_ids(connection, ledger)
        for n, (step, first, second) in enumerate(steps):
            if step == "post":
                assert isinstance(second, Status)
                await ledger.post(earn(f"t{n}", first, second))
                continue
            try:
                await connection.execute(step, ids[first], known.get(str(second)) or ids[int(str(second))])
            except asyncpg.PostgresError as error:
                if error.sqlstate != "LW005":  # a circle, or too deep
                    raise
    assert await ledger.findings() == []


async def test_an_account_that_is_reached_twice_counts_once(ledger: Ledger) -> None:
    await ledger.post(earn("before", 70))
    async with ledger.database.connection() as connection:
        top, left, right, *_ = await make_categories(connection, ledger)
        cash = (await account_ids(connection, ledger))[CASH]
        for step, *pair in ((NEST, top, left), (NEST, top, right), (JOIN, left, cash), (JOIN, right, cash)):
            await connection.execute(step, *pair)
        await ledger.post(earn("after", 30), earn("flight", 5, Status.PENDING))
        assert [await sums_of(ledger, one) for one in (top, left, right)] == [Sums(100, 0, 105, 0)] * 3
        await connection.execute(LEAVE, left, cash)
        assert [await sums_of(ledger, one) for one in (top, left)] == [Sums(100, 0, 105, 0), Sums(0, 0, 0, 0)]
        await connection.execute(UNNEST, top, right)
    assert await sums_of(ledger, top) == Sums(0, 0, 0, 0)
    assert await ledger.findings() == []


async def test_memberships_that_change_while_others_post_lose_nothing(ledger: Ledger) -> None:
    async with ledger.database.connection() as connection:
        ids = await make_categories(connection, ledger)
        known = await account_ids(connection, ledger)

    async def change(n: int, forth: str, back: str, inner: UUID) -> None:
        async with ledger.database.connection() as connection:
            for _ in range(10):
                for step in (forth, back, forth):
                    await connection.execute(step, ids[n], inner)

    async def write(writer: int) -> None:
        for n in range(25):
            name = f"{writer}-{n}"
            await ledger.post(
                earn(f"earn {name}", 10),
                create(f"flight {name}", debit(LOAN, 3), credit(CASH, 3), status=Status.PENDING),
                Post(f"flight {name}") if n % 2 else Archive(f"flight {name}", "returned"),
            )

    await asyncio.gather(
        change(0, JOIN, LEAVE, known[CASH]),
        change(1, JOIN, LEAVE, known[LOAN]),
        change(1, NEST, UNNEST, ids[0]),
        change(2, NEST, UNNEST, ids[1]),
        *(write(writer) for writer in range(4)),
    )
    assert await ledger.findings() == []


async def test_categories_are_locked_in_the_order_of_their_ids_and_the_chain_after_them(ledger: Ledger) -> None:
    """Whoever waits for the first of them holds neither the others nor the chain."""
    await ledger.post(earn("before"))
    async with ledger.database.connection() as connection:
        cash = (await account_ids(connection, ledger))[CASH]
        for category in await make_categories(connection, ledger):
            await connection.execute(JOIN, category, cash)
        rows = await connection.fetch("select category_id from ledger_category_contents where account_id = $1", cash)
    first, *others = sorted(row["category_id"] for row in rows)
    lock = "select from ledger_category_balances where category_id = any($1) for no key update nowait"
    async with ledger.database.transaction() as foreign:
        await foreign.execute(lock, [first])
        posting = asyncio.create_task(ledger.post(earn("t")))
        while not await ledger.waiting_for_locks():
            pass
        async with ledger.database.transaction() as other:
            await other.execute(lock, others)
            await other.execute("select from ledger_chain_heads for no key update nowait")
    await posting
    assert await ledger.findings() == []


CONTENTS_READ = """
    select sum(idx_tup_read)::int from pg_stat_user_indexes where relname = 'ledger_category_contents'
"""


async def test_a_plan_made_while_categories_were_small_does_not_read_all_they_contain_later(
    ledger: Ledger, database_url: str
) -> None:
    """One session, whose plans are kept, and no statistics that would have them made anew."""
    async with Database.open(database_url, limits=PoolLimits(max_connections=1)) as one:
        early = Ledger(one, ledger.id)
        async with one.connection() as session:
            await session.execute("alter table ledger_category_contents set (autovacuum_enabled = off)")
        await early.post(spend_nothing("early"))
        async with one.transaction() as session:
            await store.ensure_accounts(
                session,
                ledger.id,
                [AccountSpec(f"more {n}", "More", Direction.DEBIT, "GBP", {}, (ASSETS,)) for n in range(2000)],
            )
        read = []
        for n in range(2):
            async with one.connection() as session:
                await session.execute("select pg_stat_force_next_flush()")
                read.append(await session.fetchval(CONTENTS_READ))
            if n == 0:
                await early.post(spend_nothing("late"))
        assert read[1] - read[0] < 100


def spend_nothing(external_id: str) -> Create:
    return create(external_id, debit(LOAN, 0), credit(CASH, 0))
