"""Many callers at once share commits, and each has a result of its own."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Never

import pytest

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from worker.database import POOL_MAX_CONNECTIONS, Connection, Database
from worker.errors import DatabaseUnavailable, Unavailable
from worker.ledger import group_poster
from worker.ledger.group_poster import GroupPoster, LedgerBusy, NotPosted
from worker.ledger.transaction import (
    Archive,
    Create,
    Operation,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Replayed,
    Result,
    Status,
    Update,
)

Plain = GroupPoster[Never, Never]
CALLERS = 128


def poison(external_id: str) -> Create:
    """A transaction that PostgreSQL chokes on: no text may hold a NUL."""
    harmless = earn(external_id)
    return replace(harmless, transaction=replace(harmless.transaction, description="\0"))


async def commits(ledger: Ledger) -> int:
    async with ledger.database.connection() as connection:
        return int(await connection.fetchval("select count(distinct xmin::text) from ledger_transactions"))


async def test_callers_that_come_together_share_commits_and_keep_their_results(ledger: Ledger) -> None:
    group = Plain(ledger.database)
    operations: list[Operation] = [earn(f"t{n}", n) if n % 2 else spend(f"t{n}", 10**9) for n in range(CALLERS)]
    results = await asyncio.gather(*(group.submit(ledger.id, operation) for operation in operations))
    for n, result in enumerate(results):
        match result:
            case Posted(_, _, written):
                assert (n % 2, written.external_id) == (1, f"t{n}")
            case Refused(code, _, entry):
                assert (n % 2, code, entry) == (0, RefusalCode.BALANCE_CONDITION, 1)
            case Replayed():
                pytest.fail("nothing was sent twice")
    assert await commits(ledger) <= 2
    assert await ledger.findings() == []


async def test_ledgers_have_batches_of_their_own(ledger: Ledger) -> None:
    others = [await Ledger.open(ledger.database, f"other {n}") for n in range(POOL_MAX_CONNECTIONS)]
    group = Plain(ledger.database)
    await asyncio.gather(*(group.submit(one.id, earn(f"t{n}")) for one in others for n in range(5)))
    assert [(await one.balance(CASH)).posted for one in others] == [500] * len(others)


async def test_what_the_database_chokes_on_fails_alone(ledger: Ledger) -> None:
    group = Plain(ledger.database)
    operations = [poison(f"t{n}") if n in {3, 40} else earn(f"t{n}", 1) for n in range(60)]
    results = await asyncio.gather(
        *(group.submit(ledger.id, operation) for operation in operations), return_exceptions=True
    )
    failed = {n: str(result) for n, result in enumerate(results) if isinstance(result, NotPosted)}
    words = "the operation could not be posted: see ledger_operation_not_posted in the log"
    assert failed == {3: words, 40: words}
    assert sum(isinstance(result, Posted) for result in results) == 58
    assert (await ledger.balance(CASH)).posted == 58


async def test_a_caller_that_is_cancelled_leaves_its_operation_in_the_batch(ledger: Ledger) -> None:
    group = Plain(ledger.database)
    leaving = asyncio.create_task(group.submit(ledger.id, earn("leaving", 1)))
    staying = asyncio.create_task(group.submit(ledger.id, earn("staying", 2)))
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await staying, Posted)
    assert leaving.cancelled()
    assert (await ledger.balance(CASH)).posted == 3


async def test_closing_posts_what_was_accepted_and_takes_nothing_more(ledger: Ledger) -> None:
    group = Plain(ledger.database)
    accepted = [asyncio.create_task(group.submit(ledger.id, earn(f"t{n}", 1))) for n in range(600)]
    await asyncio.sleep(0)
    await group.close()
    assert all(isinstance(task.result(), Posted) for task in accepted)
    with pytest.raises(Unavailable):
        await group.submit(ledger.id, earn("late"))


async def test_a_database_that_is_away_is_told_to_everybody_and_too_many_callers_are_turned_away(
    ledger: Ledger,
) -> None:
    async with Database.open("postgresql://nobody@127.0.0.1:1/nothing") as away:
        group = Plain(away)
        answers = await asyncio.gather(
            *(group.submit(ledger.id, earn("t")) for _ in range(group_poster.WAITING_OPERATIONS + 3)),
            return_exceptions=True,
        )
    assert Counter(type(answer) for answer in answers) == {
        DatabaseUnavailable: group_poster.WAITING_OPERATIONS,
        LedgerBusy: 3,
    }


@dataclass
class Keys:
    """Remembers outcomes by key in a table of its own, and fails when told to."""

    failures: int = 0
    asked: list[str] = field(default_factory=list)

    async def admit(self, connection: Connection, tickets: Sequence[str]) -> list[str | None]:
        self.asked += tickets
        rows = await connection.fetch("select key, outcome from keys where key = any($1)", list(tickets))
        known = {row["key"]: row["outcome"] for row in rows}
        return [known.get(ticket) for ticket in tickets]

    async def keep(self, connection: Connection, outcomes: Sequence[tuple[str, Result]]) -> None:
        rows = [(key, type(result).__name__) for key, result in outcomes]
        await connection.executemany("insert into keys values ($1, $2)", rows)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a companion that fails")


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_companion_answers_before_and_writes_in_the_same_commit(ledger: Ledger, failures: int) -> None:
    async with ledger.database.connection() as connection:
        await connection.execute("create table keys (key text primary key, outcome text)")
    group = GroupPoster[str, str](ledger.database, Keys(failures))
    first = await asyncio.gather(
        group.submit(ledger.id, earn("a"), "key a"), group.submit(ledger.id, spend("b", 10**9), "key b")
    )
    assert [type(result) for result in first] == [Posted, Refused]
    again = await asyncio.gather(
        group.submit(ledger.id, earn("another"), "key a"), group.submit(ledger.id, earn("c")), return_exceptions=True
    )
    assert again[0] == "Posted"
    assert isinstance(again[1], Posted)
    async with ledger.database.connection() as connection:
        kept = await connection.fetch("select key, outcome from keys order by key")
        together = await connection.fetchval(
            "select count(*) from keys k join ledger_transactions t on t.xmin::text = k.xmin::text where key = 'key a'"
        )
    assert [tuple(row) for row in kept] == [("key a", "Posted"), ("key b", "Refused")]
    assert together == 1
    assert (await ledger.balance(CASH)).posted == 200


def whims(caller: int, n: int, chance: random.Random) -> list[Operation]:
    """A caller's next step: some of it meets what others do, some of it cannot succeed."""
    name = f"{caller}-{n}"
    possible: tuple[list[Operation], ...] = (
        [earn(f"earn-{name}", 10)],
        [earn(f"shared-{n}", 4), reverse(f"shared-{n}", f"undo-{n}")],
        [spend(f"spend-{name}", chance.randrange(1, 40))],
        [create(f"expect-{name}", debit(CASH, 1, lock_version=chance.randrange(400)), credit(REVENUE, 1))],
        [
            earn(f"flight-{name}", 5, Status.PENDING),
            Update(f"flight-{name}", description="x"),
            Post(f"flight-{name}"),
        ],
        [earn(f"gone-{name}", 3, Status.PENDING), Archive(f"gone-{name}", "x")],
        [
            earn(f"new-{name}", 3, Status.PENDING),
            Update(f"new-{name}", Status.POSTED, entries=(debit(LOAN, 2), credit(REVENUE, 2))),
        ],
    )
    return chance.choice(possible)


async def test_128_callers_two_posters_and_direct_writers_on_hot_accounts_leave_no_audit_finding(
    ledger: Ledger, database_url: str
) -> None:
    async with Database.open(database_url) as second:
        groups = [Plain(ledger.database), Plain(second)]

        async def call(caller: int) -> list[Result]:
            chance = random.Random(caller)
            group = groups[caller % 2]
            return [
                await group.submit(ledger.id, operation) for n in range(6) for operation in whims(caller, n, chance)
            ]

        async def write(writer: int) -> list[Result]:
            chance = random.Random(-writer)
            return [result for n in range(20) for result in await ledger.post(*whims(1000 + writer, n, chance))]

        answers = await asyncio.gather(*(call(n) for n in range(CALLERS)), *(write(n) for n in range(1, 3)))
    kinds = Counter(type(result) for results in answers for result in results)
    assert kinds[Posted] > CALLERS
    assert kinds[Refused] > 0
    assert kinds[Replayed] > 0
    assert (await ledger.balance(CASH)).available >= 0
    assert await ledger.findings() == []
