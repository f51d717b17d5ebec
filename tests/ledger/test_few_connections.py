"""The group poster with a pool of few connections, and with batches that wait for one another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from tests.ledger.books import CASH, Ledger, earn, spend
from worker.database import Connection, Database, PoolLimits
from worker.ledger.group_poster import GroupPoster
from worker.ledger.lane import OPERATIONS_TO_FOLLOW
from worker.ledger.transaction import Operation, Posted, RefusalCode, Refused, Result

OPERATIONS = 4 * OPERATIONS_TO_FOLLOW - 4  # in each ledger, a multiple of three
LEDGERS = 4
PATIENCE_SECONDS = 1.0
TRANSACTIONS_OPEN = """
    select count(*) from pg_stat_activity where application_name = 'posting' and xact_start is not null
"""


@dataclass
class Faltering:
    """A companion that fails every second time it has to keep something: that batch is then posted under locks."""

    kept: int = 0

    async def admit(self, connection: Connection, tickets: Sequence[str]) -> list[str | None]:
        return [None for _ in tickets]

    async def keep(self, connection: Connection, outcomes: Sequence[tuple[str, Result]]) -> None:
        self.kept += 1
        if self.kept % 2:
            raise RuntimeError("a companion that falters")


def mixed(n: int) -> Operation:
    """Every third is refused, which only the batch before can tell for certain."""
    return earn(f"t{n}", 1) if n % 3 else spend(f"t{n}", 10**9)


@pytest.mark.parametrize("connections", [1, 2, 3, 4, 5])
async def test_everybody_is_answered_however_few_connections_there_are(
    ledger: Ledger, database_url: str, connections: int
) -> None:
    ledgers = [ledger, *[await Ledger.open(ledger.database, f"other {n}") for n in range(1, LEDGERS)]]
    limits = PoolLimits(connections, acquire_timeout_seconds=PATIENCE_SECONDS)
    async with Database.open(database_url, limits=limits) as narrow:
        group = GroupPoster[str, str](narrow, Faltering())
        with capture_logs() as logs:
            answers = await asyncio.gather(
                *(group.submit(one.id, mixed(n), f"key {n}") for n in range(OPERATIONS) for one in ledgers)
            )
            await group.close()
    assert "ledger_batch_not_foreseen" in {line["event"] for line in logs}
    kinds = Counter(type(answer) for answer in answers)
    assert kinds == {
        Posted: LEDGERS * OPERATIONS * 2 // 3,
        Refused: LEDGERS * OPERATIONS // 3,
    }
    for one in ledgers:
        assert await one.findings() == []


@dataclass
class Held:
    """A companion whose first record is not written before it is let go."""

    admitted: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    followed: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, connection: Connection, tickets: Sequence[str]) -> list[str | None]:
        if self.admitted:
            self.followed.set()
        self.admitted = True
        return [None for _ in tickets]

    async def keep(self, connection: Connection, outcomes: Sequence[tuple[str, Result]]) -> None:
        self.held.set()
        await self.go.wait()


async def one_transaction_is_open(ledger: Ledger) -> None:
    """Wait until only one of those who post is within a transaction."""
    async with asyncio.timeout(10), ledger.database.connection() as connection:
        while await connection.fetchval(TRANSACTIONS_OPEN) != 1:
            pass


async def submit_until_one_waits(
    group: GroupPoster[str, str], ledger: Ledger, operations: Sequence[Operation], companion: Held
) -> list[asyncio.Task[Result | str]]:
    """Submit two batches, each operation under a key, until the second waits for the first."""
    submitted = [
        asyncio.create_task(group.submit(ledger.id, operation, f"key {n}")) for n, operation in enumerate(operations)
    ]
    await companion.held.wait()
    await companion.followed.wait()
    await one_transaction_is_open(ledger)
    return submitted


async def test_a_batch_waits_for_the_one_ahead_outside_of_a_transaction(ledger: Ledger, database_url: str) -> None:
    """The server would end it there once the one ahead is stuck for long, and with it the calls that wait."""
    companion = Held()
    async with Database.open(database_url, application_name="posting") as posting:
        group = GroupPoster[str, str](posting, companion)
        operations: list[Operation] = [earn(f"t{n}", 1) for n in range(OPERATIONS_TO_FOLLOW)]
        operations += [spend(f"s{n}", 10**9) for n in range(OPERATIONS_TO_FOLLOW)]
        submitted = await submit_until_one_waits(group, ledger, operations, companion)
        assert not any(task.done() for task in submitted)
        companion.go.set()
        answers = await asyncio.gather(*submitted)
        await group.close()
    codes = [answer.code for answer in answers if isinstance(answer, Refused)]
    assert codes == [RefusalCode.BALANCE_CONDITION] * OPERATIONS_TO_FOLLOW
    assert (await ledger.balance(CASH)).posted == OPERATIONS_TO_FOLLOW
    assert await ledger.findings() == []


@dataclass
class Changing(Held):
    """A companion that knows some answers when it is asked of the second batch, and others when it is asked again."""

    asked: int = 0
    at_first: Sequence[str] = ()
    again: Sequence[str] = ()

    async def admit(self, connection: Connection, tickets: Sequence[str]) -> list[str | None]:
        await super().admit(connection, tickets)
        self.asked += 1
        known = () if self.asked == 1 else self.at_first if self.asked == 2 else self.again
        return ["kept" if ticket in known else None for ticket in tickets]


@pytest.mark.parametrize("at_first", [(), ("key 20",)], ids=["none", "another"])
async def test_an_answer_that_stands_by_the_time_a_batch_is_written_is_given_instead_of_posting(
    ledger: Ledger, database_url: str, at_first: Sequence[str]
) -> None:
    last = 2 * OPERATIONS_TO_FOLLOW - 1
    companion = Changing(at_first=at_first, again=(f"key {last}",))
    operations: list[Operation] = [earn(f"t{n}", 1) for n in range(OPERATIONS_TO_FOLLOW)]
    operations += [spend(f"t{n}", 10**9) for n in range(OPERATIONS_TO_FOLLOW, last)] + [earn(f"t{last}", 1)]
    async with Database.open(database_url, application_name="posting") as posting:
        group = GroupPoster[str, str](posting, companion)
        submitted = await submit_until_one_waits(group, ledger, operations, companion)
        companion.go.set()
        *answers, told = await asyncio.gather(*submitted)
        await group.close()
    assert told == "kept"
    assert Counter(map(type, answers)) == {Posted: OPERATIONS_TO_FOLLOW, Refused: OPERATIONS_TO_FOLLOW - 1}
    assert (await ledger.balance(CASH)).posted == OPERATIONS_TO_FOLLOW
