"""Group commit: shared, durable, bounded, and never at the cost of a neighbour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from tests.foundation.servers import running_server
from tests.inbox.samples import event
from tests.inbox.station import fresh_id, running_station
from worker.database import Connection, Database
from worker.errors import DatabaseUnavailable, Unavailable
from worker.inbox import receiver as receiving
from worker.inbox import store
from worker.inbox.messages import NewMessage, loan_message
from worker.inbox.receiver import FLUSHES_IN_FLIGHT, MESSAGES_PER_FLUSH, InboxFull, NotStored, Receiver
from worker.inbox.store import Conflict, Duplicate, Recorded
from worker.migrations import migrate
from worker.postgres import until


class Gate:
    """A database whose connections are handed out only while it is open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.opened = asyncio.Event()
        self.waiting = 0
        self.statements = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.waiting += 1
        await self.opened.wait()
        self.waiting -= 1
        self.statements += 1
        async with self._database.connection() as connection:
            yield connection


@pytest.fixture
def gate(database: Database) -> Gate:
    return Gate(database)


@pytest.fixture
def receiver(gate: Gate) -> Receiver:
    return Receiver(cast("Database", gate), lambda: None)


def message(webhook_id: str | None = None, loan_id: str = "L-1") -> NewMessage:
    return loan_message(webhook_id or fresh_id(), event("loan.closed", loan_id=loan_id))


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        await until(condition)


async def stored(database: Database) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval("select count(*) from inbox_messages"))


async def test_messages_that_come_together_share_a_commit(receiver: Receiver, gate: Gate, database: Database) -> None:
    gate.opened.set()
    verdicts = await asyncio.gather(*(receiver.accept(message(loan_id=f"L-{n}")) for n in range(400)))
    assert all(isinstance(verdict, Recorded) for verdict in verdicts)
    assert gate.statements <= 2
    assert await stored(database) == 400


async def test_a_message_that_comes_just_as_the_last_flush_ends_is_stored_all_the_same(
    receiver: Receiver, gate: Gate, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "FLUSHES_IN_FLIGHT", 1)
    gate.opened.set()
    async with asyncio.timeout(20):
        for _ in range(3):
            await receiver.accept(message())
    assert await stored(database) == 3


async def test_a_flush_has_a_limit_and_few_are_in_flight(receiver: Receiver, gate: Gate, database: Database) -> None:
    total = MESSAGES_PER_FLUSH * 3
    accepting = [asyncio.create_task(receiver.accept(message())) for _ in range(total)]
    await eventually(lambda: gate.waiting == FLUSHES_IN_FLIGHT)
    gate.opened.set()
    await asyncio.gather(*accepting)
    assert gate.statements >= 3
    assert await stored(database) == total


async def test_a_sender_that_hangs_up_takes_nobody_with_it(receiver: Receiver, gate: Gate, database: Database) -> None:
    impatient, patient = (asyncio.create_task(receiver.accept(message())) for _ in range(2))
    await eventually(lambda: gate.waiting > 0)
    impatient.cancel()
    gate.opened.set()
    assert isinstance(await patient, Recorded)
    assert impatient.cancelled()
    assert await stored(database) == 2


async def test_a_message_the_database_chokes_on_fails_alone(receiver: Receiver, gate: Gate, database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("alter table inbox_messages add check (loan_id <> 'poison')")
    gate.opened.set()
    loans = ["L-1", "L-2", "poison", "L-3"]
    outcomes = await asyncio.gather(*(receiver.accept(message(loan_id=loan)) for loan in loans), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Recorded, Recorded, NotStored, Recorded]
    assert await stored(database) == 3


async def test_the_queue_is_bounded_by_number(receiver: Receiver, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "WAITING_MESSAGES", 3)
    gate.opened.set()
    outcomes = await asyncio.gather(*(receiver.accept(message()) for _ in range(20)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Recorded] * 3 + [InboxFull] * 17


async def test_the_queue_is_bounded_by_bytes(receiver: Receiver, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "WAITING_BYTES", 10)
    gate.opened.set()
    with pytest.raises(InboxFull):
        await receiver.accept(message())


async def test_closing_stores_what_was_accepted_and_takes_nothing_more(
    receiver: Receiver, gate: Gate, database: Database
) -> None:
    accepting = [asyncio.create_task(receiver.accept(message())) for _ in range(10)]
    await eventually(lambda: gate.waiting > 0)
    closing = asyncio.create_task(receiver.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await receiver.accept(message())
    gate.opened.set()
    await closing
    assert all(isinstance(verdict, Recorded) for verdict in await asyncio.gather(*accepting))
    assert await stored(database) == 10


async def test_one_batch_may_hold_a_message_its_copy_and_its_contradiction(database: Database) -> None:
    batch = [
        message("same"), message("other"), message("same"), message("same", "L-2"), message("other"),
    ]  # fmt: skip
    async with database.connection() as connection:
        verdicts = await store.record_messages(connection, batch)
        again = await store.record_messages(connection, batch)
        jobs = await connection.fetchval("select array_agg(subject order by id) from jobs")
    same, other = verdicts[0].message_id, verdicts[1].message_id
    assert verdicts == [Recorded(same), Recorded(other), Duplicate(same), Conflict(same), Duplicate(other)]
    assert again == [Duplicate(same), Duplicate(other), Duplicate(same), Conflict(same), Duplicate(other)]
    assert jobs == [same, other]


async def test_two_processes_storing_the_same_ids_in_opposite_order_never_deadlock(database: Database) -> None:
    ids = [f"shared_{n}" for n in range(40)]

    async def deliver(order: list[str]) -> list[store.Verdict]:
        async with database.connection() as connection:
            return await store.record_messages(connection, [message(name, f"L-{name[-1]}") for name in order])

    for _ in range(10):
        async with database.connection() as connection:
            await connection.execute("delete from jobs; delete from inbox_messages")
        answers = await asyncio.gather(deliver(ids), deliver(ids[::-1]), deliver(ids[20:] + ids[:20]))
        verdicts = [verdict for answer in answers for verdict in answer]
        assert sum(isinstance(verdict, Recorded) for verdict in verdicts) == len(ids)
        assert sum(isinstance(verdict, Duplicate) for verdict in verdicts) == 2 * len(ids)
        async with database.connection() as connection:
            assert await connection.fetchval("select count(*) from jobs") == len(ids)


async def test_what_was_received_cannot_be_rewritten(database: Database) -> None:
    async with database.connection() as connection:
        await store.record_messages(connection, [message()])
    with pytest.raises(Exception, match="never rewritten"):
        async with database.connection() as connection:
            await connection.execute("update inbox_messages set type = 'loan.forged'")


async def test_postgres_killed_and_restarted_is_a_503_and_then_an_ordinary_day() -> None:
    body = event("loan.closed")
    async with running_server() as server, Database.open(server.url()) as database:
        async with database.connection() as connection:
            await migrate(connection)
        async with running_station(database) as station:
            assert (await station.loan_event(body, "before")).status == 202
            server.kill()
            away = await station.loan_event(body, "during")
            assert (away.status, away.document["code"]) == (503, "unavailable")
            assert int(away.headers["Retry-After"]) > 0
            with pytest.raises(DatabaseUnavailable):
                await station.receiver.accept(message())
            await server.start()
            assert (await station.loan_event(body, "before")).status == 200
            assert (await station.loan_event(body, "during")).status in (200, 202)
            assert await stored(database) == 2
