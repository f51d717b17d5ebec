"""What a process remembers of accounts saves reading them, and is never believed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.ledger.books import CASH, LOAN, NOBODYS, REVENUE, Ledger, create, credit, debit, earn, spend
from worker.database import Connection
from worker.errors import DatabaseUnavailable
from worker.ledger import memory as memory_module
from worker.ledger import posting_store, store
from worker.ledger.book import Account
from worker.ledger.foresight import Foreseen, foresee
from worker.ledger.group_poster import CAREFUL_BATCHES, GroupPoster
from worker.ledger.memory import Memory
from worker.ledger.posting_store import Names
from worker.ledger.transaction import (
    AccountSpec,
    Create,
    Direction,
    Posted,
    RefusalCode,
    Refused,
    Result,
    Status,
)
from worker.ledger.written import LedgerAccount

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
LEDGER = uuid4()


def account(name: str, version: int = 1) -> Account:
    fixed = LedgerAccount(uuid4(), LEDGER, name, Direction.DEBIT, "GBP", 2, False, "")
    return Account(fixed, 0, 0, 0, 0, version)


def later(one: Account) -> Account:
    return Account(one.fixed, 5, 0, 5, 0, one.lock_version + 1)


@asynccontextmanager
async def reading(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Names]]:
    """The accounts that are read for decisions meanwhile."""
    read, read_balances = list[Names](), posting_store.read_balances

    async def tell(
        connection: Connection, ledger_id: UUID, named: Names, external_ids: Iterable[str]
    ) -> posting_store.Locked | None:
        read.append(named)
        return await read_balances(connection, ledger_id, named, external_ids)

    with monkeypatch.context() as patch:
        patch.setattr(posting_store, "read_balances", tell)
        yield read


async def account_ids(ledger: Ledger) -> dict[str, UUID]:
    async with ledger.database.connection() as connection:
        rows = await connection.fetch("select external_id, id from ledger_accounts where ledger_id = $1", ledger.id)
    return {row["external_id"]: row["id"] for row in rows}


async def submit(group: GroupPoster[None, None], ledger: Ledger, *operations: Create) -> list[Result | None]:
    """Submit creations that name accounts by their ids: what is remembered goes by these."""
    ids = await account_ids(ledger)
    return await asyncio.gather(*(group.submit(ledger.id, by_id(operation, ids)) for operation in operations))


def by_id(create: Create, ids: Mapping[str, UUID]) -> Create:
    entries = [replace(entry, account=ids[str(entry.account)]) for entry in create.transaction.entries]
    return replace(create, transaction=replace(create.transaction, entries=tuple(entries)))


async def test_accounts_that_were_just_posted_to_are_not_read_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t1"))
    async with reading(ledger, monkeypatch) as read:
        await submit(group, ledger, earn("t2"), spend("t3", 150))
        assert read == [Names(ids={(await account_ids(ledger))[LOAN]})]
        await submit(group, ledger, spend("t4", 50))
        assert len(read) == 1
    assert ((await ledger.balance(CASH)).posted, (await ledger.balance(LOAN)).posted) == (0, 200)
    assert await ledger.findings() == []


async def test_what_locks_were_taken_for_is_remembered_as_well(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t1"))
    await submit(group, ledger, earn("t1"))  # takes locks to find that it is there already
    async with reading(ledger, monkeypatch) as read:
        for n in range(CAREFUL_BATCHES + 1):
            await submit(group, ledger, earn(f"more {n}"))
        assert read == []
    assert await ledger.findings() == []


async def test_a_refusal_never_rests_on_what_is_remembered(ledger: Ledger) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t1", 100))
    await ledger.post(earn("foreign", 500))
    assert [type(result) for result in await submit(group, ledger, spend("t2", 600))] == [Posted]
    assert (await ledger.balance(CASH)).posted == 0


async def test_what_somebody_else_spent_meanwhile_is_not_spent_again(ledger: Ledger) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t1", 100))
    await ledger.post(spend("foreign", 100))
    (result,) = await submit(group, ledger, spend("t2", 1))
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.BALANCE_CONDITION
    assert await ledger.findings() == []


async def test_after_a_meeting_with_another_poster_locks_come_first(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t"))
    await ledger.post(earn("foreign"))
    attempts, decide = 0, foresee

    async def count(*arguments: Any) -> Foreseen | None:
        nonlocal attempts
        attempts += 1
        return await decide(*arguments)

    monkeypatch.setattr("worker.ledger.group_poster.foresee", count)
    async with reading(ledger, monkeypatch) as read:
        for n in range(CAREFUL_BATCHES + 2):
            await submit(group, ledger, earn(f"t{n}"))
            if n == 1:
                assert attempts == 1, "the next one after the one in vain goes under locks"
    assert attempts == 2  # the one in vain, and the first one after those under locks
    assert read == []  # which knows what the last one under locks left behind
    assert (await ledger.balance(CASH)).posted == 100 * (CAREFUL_BATCHES + 4)
    assert await ledger.findings() == []


@pytest.mark.parametrize("change", ["discarded_at = now(), external_id = null", "external_id = 'renamed'"])
async def test_a_name_that_went_to_another_account_is_found_there(ledger: Ledger, change: str) -> None:
    group = GroupPoster[None, None](ledger.database)
    async with ledger.database.transaction() as connection:
        specs = [AccountSpec("passed on", "Passed on", Direction.DEBIT, "GBP")]
        first = (await store.ensure_accounts(connection, ledger.id, specs))["passed on"]
        await connection.execute(NOBODYS)
    for n in range(2):
        await group.submit(ledger.id, create(f"t{n}", debit("passed on", 0), credit(REVENUE, 0)))
    async with ledger.database.transaction() as connection:
        await connection.execute(f"update ledger_accounts set {change} where id = $1", first)
        second = (await store.ensure_accounts(connection, ledger.id, specs))["passed on"]
    result = await group.submit(ledger.id, create("new", debit("passed on", 1), credit(REVENUE, 1)))
    assert isinstance(result, Posted)
    assert result.written.entries[0].account_id == second != first
    assert await ledger.findings() == []


async def test_a_discarded_account_is_refused_whatever_is_remembered(ledger: Ledger) -> None:
    group = GroupPoster[None, None](ledger.database)
    for n in range(2):
        await submit(group, ledger, earn(f"t{n}", 0))
    async with ledger.database.connection() as connection:
        await connection.execute("update ledger_accounts set discarded_at = now() where external_id = $1", CASH)
    (result,) = await submit(group, ledger, earn("late"))
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.DISCARDED_ACCOUNT


async def test_nothing_is_written_at_a_moment_yet_to_come(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's clock was set back by less than an answer may be late: it runs behind what is remembered of it."""
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t"))
    real = time.monotonic
    with monkeypatch.context() as patch:
        patch.setattr("worker.ledger.memory.time.monotonic", lambda: real() + 0.9)
        for n in range(CAREFUL_BATCHES + 2):
            assert [type(result) for result in await submit(group, ledger, earn(f"t{n}"))] == [Posted]
            async with ledger.database.connection() as connection:
                ahead = await connection.fetchval(
                    "select count(*) from ledger_transactions where created_at > clock_timestamp()"
                )
            assert ahead == 0
    assert await ledger.findings() == []


@pytest.mark.parametrize("wrong", ["accounts", "clock"])
async def test_what_was_remembered_in_vain_is_forgotten(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """Either may be ahead of a database that came back as it was some time ago."""
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t"))
    if wrong == "accounts":
        remembered, _ = group._memory.recall(Names(ids=set((await account_ids(ledger)).values())))
        group._memory.keep(replace(one, lock_version=100) for one in remembered.values())
    else:
        real = time.monotonic
        monkeypatch.setattr("worker.ledger.memory.time.monotonic", lambda: real() + 0.9)
    written, write = list[bool](), Foreseen.write

    async def tell(self: Foreseen, connection: Connection, memory: Memory) -> bool:
        written.append(await write(self, connection, memory))
        return written[-1]

    monkeypatch.setattr(Foreseen, "write", tell)
    for n in range(CAREFUL_BATCHES + 3):
        await submit(group, ledger, earn(f"t{n}"))
    assert written == [False, True, True]
    assert await ledger.findings() == []


async def test_a_database_that_was_away_is_read_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have come back as another one."""
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t"))

    async def away(*_: Any) -> Foreseen | None:
        raise DatabaseUnavailable("it is restarting")

    with monkeypatch.context() as patch:
        patch.setattr("worker.ledger.group_poster.foresee", away)
        with pytest.raises(DatabaseUnavailable):
            await submit(group, ledger, earn("lost"))
    ids = await account_ids(ledger)
    async with reading(ledger, monkeypatch) as read:
        await submit(group, ledger, earn("more"))
    assert read == [Names(ids={ids[CASH], ids[REVENUE]})]


async def test_an_archived_transaction_under_a_live_external_id_is_refused_whatever_is_remembered(
    ledger: Ledger,
) -> None:
    group = GroupPoster[None, None](ledger.database)
    await submit(group, ledger, earn("t1"))
    (result,) = await submit(group, ledger, earn("t1", status=Status.ARCHIVED))
    assert isinstance(result, Refused)
    assert result.code is RefusalCode.EXTERNAL_ID_TAKEN


def test_the_later_version_of_an_account_is_kept_and_only_its_id_finds_it() -> None:
    memory, cash = Memory(), account("cash")
    memory.keep([later(cash)])
    memory.keep([cash])
    other = uuid4()
    found, unknown = memory.recall(Names({"cash"}, {cash.fixed.id, other}))
    assert found == {cash.fixed.id: later(cash)}
    assert unknown == Names({"cash"}, {other})


def test_what_was_said_last_of_a_version_is_kept() -> None:
    """An account may be discarded or renamed, which is no version."""
    memory, cash = Memory(), account("cash")
    discarded = replace(cash, fixed=cash.fixed._replace(discarded=True))
    memory.keep([cash])
    memory.keep([discarded])
    assert memory.recall(Names(ids={cash.fixed.id}))[0] == {cash.fixed.id: discarded}


def test_what_was_written_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "ACCOUNTS_REMEMBERED", 2)
    memory, old, other, new = Memory(), account("old"), account("other"), account("new")
    memory.keep([old, other])
    memory.keep([later(old)])
    memory.keep([new])
    found, unknown = memory.recall(Names(ids={old.fixed.id, other.fixed.id, new.fixed.id}))
    assert found == {old.fixed.id: later(old), new.fixed.id: new}
    assert unknown == Names(ids={other.fixed.id})


def test_what_is_forgotten_has_to_be_read_again() -> None:
    memory, cash, loan = Memory(), account("cash"), account("loan")
    memory.keep([cash, loan])
    memory.set_clock(NOON)
    memory.forget([cash.fixed.id, uuid4()])
    both = Names(ids={cash.fixed.id, loan.fixed.id})
    assert memory.recall(both) == ({loan.fixed.id: loan}, Names(ids={cash.fixed.id}))
    memory.clear()
    assert memory.recall(both) == ({}, both)
    assert memory.now is None


def test_time_does_not_go_back_for_a_late_answer_but_for_a_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.ledger.memory.time.monotonic", lambda: 100.0)
    memory = Memory()
    assert memory.now is None
    memory.set_clock(NOON)
    memory.set_clock(NOON - timedelta(milliseconds=300))
    assert memory.now == NOON
    memory.set_clock(NOON + timedelta(milliseconds=300))
    monkeypatch.setattr("worker.ledger.memory.time.monotonic", lambda: 101.0)
    assert memory.now == NOON + timedelta(milliseconds=1300)
    memory.set_clock(NOON - timedelta(hours=1))
    assert memory.now == NOON - timedelta(hours=1)
