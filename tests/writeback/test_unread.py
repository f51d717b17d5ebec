"""Codat not answering, or not finding, what a step under way is asked after: shown, and asked ever more rarely."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.station import Station
from worker.codat.replies import CodatError, NotFound, Unavailable
from worker.jobs.job import Snooze
from worker.writeback.movement import Drawdown


async def test_a_company_that_is_gone_while_a_step_is_pending_waits_for_the_connection(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")

    async def gone(*_: Any, **__: Any) -> Any:
        return NotFound(CodatError(404, "No company was found"))

    with monkeypatch.context() as missing:
        for name in ("get_push_operation", "list_push_operations", "get_connection", "data_status", "list_records"):
            missing.setattr(station.codat, name, gone)
        assert await station.turns_within(saga, timedelta(hours=1)) < 10

        row = await station.row("sagas", saga)
        assert (row["state"], row["waiting_for"]) == ("waiting", "connection")
        assert "No company was found" in row["reason"]

    await station.finish(saga)
    assert len(await station.records("transfers")) == 1


async def test_reads_that_go_on_failing_are_shown_and_repeated_ever_more_rarely(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "pending")

    async def silent(*_: Any, **__: Any) -> Any:
        return Unavailable("HTTP 503: maintenance")

    with monkeypatch.context() as failing:
        failing.setattr(station.codat, "get_push_operation", silent)
        assert await station.handler.advance(saga) == Snooze(station.timings.read_retry)
        assert (await station.row("sagas", saga))["state"] == "running"
        assert await station.turns_within(saga, timedelta(hours=1)) < 20

        row = await station.row("sagas", saga)
        assert (row["state"], row["waiting_for"]) == ("waiting", "codat")
        assert "maintenance" in row["reason"]

    await station.finish(saga)
    assert len(await station.records("transfers")) == 1
