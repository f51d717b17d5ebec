"""What a person decides while a saga is at work, and what a saga does that cannot go on by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.station import Station
from worker.jobs.job import Snooze
from worker.writeback.movement import Drawdown
from worker.writeback.operator import Operator

LINES = {"path": "*/bankTransactions", "method": "POST"}


def operator(station: Station) -> Operator:
    return Operator(station.database, lambda: station.now)


async def reach(station: Station, saga: int, kind: str, state: str) -> None:
    """Take single turns until the saga's unfinished step is of this kind and in this state."""
    for _ in range(200):
        step = next((step for step in await station.steps(saga) if step["state"] != "succeeded"), None)
        if step is not None and (step["kind"], step["state"]) == (kind, state):
            return
        outcome = await station.handler.run_once(saga)
        if isinstance(outcome, Snooze):
            await station.advance_clocks(outcome.delay)
    raise AssertionError(f"no {kind} became {state}: {await station.story(saga)}")


async def test_a_saga_given_up_just_before_its_line_leaves_sends_nothing_and_holds_nothing(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await reach(station, saga, "bank_transaction", "planned")
    await station.advance_clocks(timedelta(minutes=6))  # the connection is asked for again, which gives a person time
    asked = station.codat.get_connection

    async def given_up_meanwhile(*where: Any) -> Any:
        monkeypatch.setattr(station.codat, "get_connection", asked)
        await operator(station).abandon(saga, "the borrower enters it by hand")
        return await asked(*where)

    monkeypatch.setattr(station.codat, "get_connection", given_up_meanwhile)
    await station.drive(saga)

    assert (await station.row("sagas", saga))["state"] == "abandoned"
    assert [step["state"] for step in await station.steps(saga)] == ["succeeded", "planned"]
    await station.finish(await station.saga(Drawdown("D2", 5_000), "LN-2"))
    assert await station.amounts() == ["-50.00"]
