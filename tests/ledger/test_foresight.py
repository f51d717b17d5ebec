"""Batches that are decided before the batch ahead of them is durable."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.ledger.books import CASH, LOAN, REVENUE, Ledger, create, credit, debit, earn, reverse, spend
from worker.database import Connection
from worker.ledger import poster
from worker.ledger.foresight import Foreseen, foresee
from worker.ledger.group_poster import GroupPoster, NotPosted
from worker.ledger.lane import OPERATIONS_TO_FOLLOW
from worker.ledger.memory import Memory
from worker.ledger.transaction import (
    Archive,
    Create,
    Direction,
    NewEntry,
    Operation,
    Post,
    Posted,
    RefusalCode,
    Refused,
    Status,
    Update,
)


async def decide(
    ledger: Ledger, *operations: Operation, before: Foreseen | None = None, memory: Memory | None = None
) -> Foreseen:
    async with ledger.database.connection() as connection:
        foreseen = await foresee(connection, ledger.id, operations, before, memory or Memory())
    assert foreseen is not None
    return foreseen


async def write(ledger: Ledger, foreseen: Foreseen) -> bool:
    async with ledger.database.connection() as connection:
        return await foreseen.write(connection, Memory())


async def transactions(ledger: Ledger) -> int:
    async with ledger.database.connection() as connection:
        return int(await connection.fetchval("select count(*) from ledger_transactions"))


async def test_a_batch_is_decided_on_what_the_one_before_will_leave_behind(ledger: Ledger) -> None:
    first = await decide(ledger, earn("t1", 100))
    second = await decide(ledger, spend("t2", 60), spend("t3", 60), before=first)
    match second.results:
        case [Posted(_, Status.POSTED, written), Refused(RefusalCode.BALANCE_CONDITION)]:
            assert [entry.lock_version for entry in written.entries] == [1, 2]
        case other:
            pytest.fail(f"{other}")
    assert await write(ledger, first)
    assert await write(ledger, second)
    assert (await ledger.balance(CASH)).posted == 40
    assert await ledger.findings() == []


async def test_what_is_written_says_the_moment_it_was_decided(ledger: Ledger) -> None:
    foreseen = await decide(ledger, earn("t1"))
    assert await write(ledger, foreseen)
    (result,) = foreseen.results
    assert isinstance(result, Posted)
    async with ledger.database.connection() as connection:
        moments = await connection.fetchrow(
            "select t.created_at, t.updated_at, t.posted_at, e.created_at, c.created_at "
            "from ledger_transactions t join ledger_entries e on e.transaction_id = t.id, ledger_chain c"
        )
    assert moments is not None
    assert set(moments) == {result.written.created_at}


async def test_nothing_is_written_once_an_account_has_moved_on(ledger: Ledger) -> None:
    foreseen = await decide(ledger, earn("t1"))
    await ledger.post(earn("t2"))
    assert not await write(ledger, foreseen)
    assert await transactions(ledger) == 1
    assert await ledger.findings() == []


async def test_nothing_is_written_when_the_batch_before_was_not(ledger: Ledger) -> None:
    first = await decide(ledger, earn("t1"))
    second = await decide(ledger, spend("t2", 50), before=first)
    assert not await write(ledger, second)
    assert await transactions(ledger) == 0


async def test_nothing_is_written_when_an_external_id_was_taken_on_other_accounts(ledger: Ledger) -> None:
    foreseen = await decide(ledger, earn("t1"))
    await ledger.post(create("t1", debit("cash-usd", 5), credit("revenue-usd", 5)))
    assert not await write(ledger, foreseen)
    assert await transactions(ledger) == 1


async def test_a_batch_of_refusals_has_nothing_to_write_and_nothing_to_say_of_the_clock(ledger: Ledger) -> None:
    """It may have waited long for the batch before it: the moment it was decided is over."""
    foreseen, memory = await decide(ledger, spend("t1", 1)), Memory()
    async with ledger.database.connection() as connection:
        assert await foreseen.write(connection, memory)
    assert memory.now is None
    assert await transactions(ledger) == 0


@pytest.mark.parametrize(
    "operation",
    [
        earn("known"),
        earn("ahead"),
        Post("known"),
        Archive("known", "returned"),
        Update("known", description="other"),
        reverse("known", "mirrored"),
    ],
)
async def test_what_may_be_changing_right_now_takes_locks(ledger: Ledger, operation: Operation) -> None:
    await ledger.post(earn("known"))
    first = await decide(ledger, earn("ahead"))
    async with ledger.database.connection() as connection:
        foreseen = await foresee(connection, ledger.id, [earn("new"), operation], first, Memory())
        assert foreseen is None or not await foreseen.write(connection, Memory())


def poison(create: Create) -> Create:
    """A creation that the ledger accepts and PostgreSQL does not."""
    return replace(create, transaction=replace(create.transaction, description="\0"))


async def test_who_was_decided_on_a_batch_that_failed_is_decided_again(ledger: Ledger) -> None:
    """The first half earns what the second half lends; it fails as a whole, then one by one only its poison does."""
    half = 2 * OPERATIONS_TO_FOLLOW
    group = GroupPoster[None, None](ledger.database)
    operations = [earn(f"e{n}", 10) for n in range(half)] + [spend(f"s{n}", 10) for n in range(half)]
    operations[half // 2] = poison(operations[half // 2])
    answers = await asyncio.gather(
        *(group.submit(ledger.id, operation) for operation in operations), return_exceptions=True
    )
    await group.close()
    assert [type(answer) for answer in answers].count(Posted) == 2 * half - 2
    assert isinstance(answers[half // 2], NotPosted)
    (refused,) = [answer for answer in answers if isinstance(answer, Refused)]
    assert refused.code is RefusalCode.BALANCE_CONDITION
    assert (await ledger.balance(LOAN)).posted == (half - 1) * 10
    assert (await ledger.balance(REVENUE)).posted == (half - 1) * 10
    assert await ledger.findings() == []


async def test_the_batch_behind_is_under_way_before_the_one_ahead_is_durable(ledger: Ledger) -> None:
    group = GroupPoster[None, None](ledger.database)
    async with ledger.database.transaction() as holder:
        await holder.execute("select from ledger_account_balances for update")
        submitted = asyncio.gather(
            *(group.submit(ledger.id, earn(f"t{n}", 1)) for n in range(2 * OPERATIONS_TO_FOLLOW))
        )
        while await ledger.waiting_for_locks() < 2:
            pass
    assert {type(answer) for answer in await submitted} == {Posted}
    assert (await ledger.balance(CASH)).posted == 2 * OPERATIONS_TO_FOLLOW
    assert await ledger.findings() == []


async def test_refusals_wait_for_the_batch_ahead_but_not_for_its_callers(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables know of no refusals; and callers that are answered may come back with more."""
    happened, write_foreseen = list[str](), Foreseen.write
    decided = 0

    async def decide(*arguments: Any) -> Foreseen | None:
        nonlocal decided
        foreseen = await foresee(*arguments)
        decided += 1
        return foreseen

    async def tell(self: Foreseen, connection: Connection, memory: Memory) -> bool:
        happened.append("written")
        return await write_foreseen(self, connection, memory)

    async def call(operation: Create) -> None:
        await group.submit(ledger.id, operation)
        happened.append("answered")

    monkeypatch.setattr(Foreseen, "write", tell)
    monkeypatch.setattr("worker.ledger.group_poster.foresee", decide)
    group = GroupPoster[None, None](ledger.database)
    operations = [
        *(earn(f"e{n}", 1) for n in range(OPERATIONS_TO_FOLLOW)),
        *(spend(f"s{n}", 10**9) for n in range(OPERATIONS_TO_FOLLOW)),
    ]
    async with ledger.database.transaction() as holder:
        await holder.execute("select from ledger_account_balances for update")
        calls = asyncio.gather(*(call(operation) for operation in operations))
        while not await ledger.waiting_for_locks() or decided < 2:
            pass
        assert happened == ["written"]
    await calls
    assert happened == ["written", "written", *["answered"] * len(operations)]


async def test_a_foreign_version_of_the_same_number_is_not_taken_for_the_batch_before(ledger: Ledger) -> None:
    """A foreign writer puts as many entries on the accounts as the batch that goes ahead, while both are under way."""
    group = GroupPoster[None, None](ledger.database)
    async with ledger.database.transaction() as foreign:
        await poster.post(foreign, ledger.id, [earn(f"foreign {n}", 500) for n in range(OPERATIONS_TO_FOLLOW)])
        submitted = asyncio.gather(
            *(group.submit(ledger.id, earn(f"t{n}", 1)) for n in range(2 * OPERATIONS_TO_FOLLOW))
        )
        while await ledger.waiting_for_locks() < 2:
            pass
    assert {type(answer) for answer in await submitted} == {Posted}
    assert (await ledger.balance(CASH)).posted == 502 * OPERATIONS_TO_FOLLOW
    assert await ledger.findings() == []


async def test_an_account_discarded_since_it_was_remembered_is_refused_without_a_warning(ledger: Ledger) -> None:
    cash = (await ledger.balance(CASH)).account_id
    revenue = (await ledger.balance(REVENUE)).account_id
    entries = (NewEntry(cash, Direction.DEBIT, 1), NewEntry(revenue, Direction.CREDIT, 1))
    group = GroupPoster[None, None](ledger.database)
    assert isinstance(await group.submit(ledger.id, create("t1", *entries)), Posted)
    async with ledger.database.connection() as connection:
        await connection.execute("update ledger_accounts set discarded_at = now() where id = $1", revenue)
    with capture_logs() as logs:
        answer = await group.submit(ledger.id, create("t2", *entries))
    await group.close()
    assert isinstance(answer, Refused)
    assert (answer.code, answer.place) == (RefusalCode.DISCARDED_ACCOUNT, 1)
    assert logs == []


async def test_accounts_are_locked_in_the_order_of_their_ids_however_they_are_named(ledger: Ledger) -> None:
    """Whoever waits for the first of them holds none of the others."""
    async with ledger.database.connection() as connection:
        rows = await connection.fetch(
            "select id from ledger_accounts where external_id = any($1) order by id", [CASH, LOAN, REVENUE]
        )
    first, second, third = (row["id"] for row in rows)
    entries = (
        NewEntry(third, Direction.DEBIT, 1),
        NewEntry(second, Direction.DEBIT, 1),
        NewEntry(first, Direction.CREDIT, 2),
    )
    foreseen = await decide(ledger, create("t1", *entries))
    lock = "select from ledger_account_balances where account_id = any($1) for no key update nowait"
    async with ledger.database.transaction() as foreign:
        await foreign.execute(lock, [first])
        writing = asyncio.create_task(write(ledger, foreseen))
        while not await ledger.waiting_for_locks():
            pass
        async with ledger.database.transaction() as other:
            await other.execute(lock, [second, third])
    assert await writing
