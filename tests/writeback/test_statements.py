"""The lender's statement that several loans share: one line at a time, and a balance that runs on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.station import Station
from tests.writeback.test_decisions import reach
from worker.codat.push_operation import PushStatus
from worker.codat.replies import Found
from worker.jobs.job import Done, Snooze
from worker.writeback.movement import Drawdown

READY = 0
"""State of a job that runs as soon as somebody claims it."""


async def statement(station: Station) -> tuple[int, int | None]:
    """Its balance, and the step that holds it."""
    async with station.database.connection() as connection:
        row: Any = await connection.fetchrow("select balance, held_by_step from bank_feeds")
    return row["balance"], row["held_by_step"]


async def test_a_line_called_refused_that_was_written_after_all_counts_in_the_running_balance(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await station.saga(Drawdown("D1", 100_000))
    await reach(station, first, "bank_transaction", "pending")
    read = station.codat.get_push_operation

    async def called_refused(*key: Any) -> Any:
        reply = await read(*key)
        assert isinstance(reply, Found)
        return Found(replace(reply.value, status=PushStatus.FAILED, error_message="Refused."))

    with monkeypatch.context() as patched:
        patched.setattr(station.codat, "get_push_operation", called_refused)
        await reach(station, first, "bank_transaction", "failed")
    second = await station.saga(Drawdown("D2", 5_000), "LN-2")
    await reach(station, second, "bank_transaction", "pending")
    holder = (await station.steps(second))[1]["id"]

    await station.finish(first)
    assert await statement(station) == (-100_000, holder)

    await station.finish(second, await station.saga(Drawdown("D3", 1_000), "LN-3"))
    assert await statement(station) == (-106_000, None)
    assert (await station.lines())[-1]["balance"] == "-1060.00"


async def test_a_line_that_takes_long_is_named_by_who_waits_for_its_statement_and_its_end_wakes_them(
    station: Station,
) -> None:
    first = await station.saga(Drawdown("D1", 100_000))
    await reach(station, first, "bank_transaction", "pending")
    second = await station.saga(Drawdown("D2", 5_000), "LN-2")

    assert isinstance(outcome := await station.drive(second), Snooze)
    assert outcome.delay > timedelta(minutes=1)
    row = await station.row("sagas", second)
    assert (row["waiting_for"], f"the line of saga {first} on the same statement" in row["reason"]) == ("codat", True)

    async with station.database.connection() as connection:
        await connection.execute(
            "update jobs set state = 3, worker = 1, run_at = 'infinity' where subject = $1", second
        )
    assert isinstance(await station.drive(first), Done)
    async with station.database.connection() as connection:
        assert await connection.fetchval("select state from jobs where subject = $1", second) == READY
    await station.finish(second)
    assert await station.amounts() == ["-1000.00", "-50.00"]


async def test_lines_that_follow_each_other_quickly_wait_without_a_word(station: Station) -> None:
    first = await station.saga(Drawdown("D1", 100_000))
    await reach(station, first, "bank_transaction", "pending")
    second = await station.saga(Drawdown("D2", 5_000), "LN-2")
    await reach(station, second, "bank_transaction", "planned")

    assert await station.handler.advance(second) == Snooze(station.timings.feed_busy)

    assert (await station.row("sagas", second))["state"] == "running"
