"""QuickBooks Desktop works on a computer in the borrower's office, which is not always on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import Station
from worker.writeback.movement import Drawdown, Repayment, RepaymentReversal


@pytest.fixture
async def station(open_station: Open) -> Station:
    """A company on QuickBooks Desktop, mapped to its own accounts."""
    station = await open_station("QuickBooks Desktop")
    await station.map()
    return station


async def office(station: Station, *, on: bool) -> None:
    await station.simulator("POST", f"/_simulator/connectors/{station.connection_id}", {"on": on})


async def test_a_write_pending_for_hours_is_followed_ever_more_rarely_and_succeeds_when_the_office_is_back(
    station: Station,
) -> None:
    await office(station, on=False)
    saga = await station.saga(Drawdown("D1", 100_000))

    first, later = (
        await station.turns_within(saga, timedelta(minutes=30)),
        await station.turns_within(saga, timedelta(hours=9)),
    )

    assert [step["state"] for step in await station.steps(saga)] == ["pending", "planned"]
    assert await station.records("transfers") == []
    assert first <= 15
    assert later <= 9 * 6 + 1, "every ten minutes"
    await office(station, on=True)
    await station.finish(saga)
    assert len(await station.records("transfers")) == 1
    assert await station.amounts() == ["-1000.00"]
    assert len(await station.sent()) == 2


async def test_a_write_that_timed_out_while_the_office_was_closed_is_written_once(station: Station) -> None:
    await office(station, on=False)
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns_within(saga, timedelta(hours=30))
    (step, _) = await station.steps(saga)
    assert (step["state"], step["unknown_cause"]) == ("unknown", "timed_out")
    assert (await station.row("sagas", saga))["state"] == "waiting"

    await office(station, on=True)
    await station.finish(saga)

    assert len(await station.records("transfers")) == 1
    assert await station.balance("lenderAccountId") == "-1000.00"


async def test_a_reversed_cost_is_deleted_and_everything_else_compensated(station: Station) -> None:
    repayment, reversal = Repayment("R1", 33_333, 6_667, 0), RepaymentReversal("R1", "bounced")
    await station.finish(await station.saga(repayment), await station.saga(reversal))

    requests = [(one["method"], one["path"].rpartition("/push/")[2].partition("/")[0]) for one in await station.sent()]
    assert requests[4:] == [
        ("POST", "transfers"),
        ("DELETE", "directCosts"),
        ("POST", "bankAccounts"),
        ("POST", "bankAccounts"),
    ]
    assert await station.records("directCosts") == []
    assert await station.amounts() == ["400.00", "-66.67", "-400.00", "66.67"]
    for role in ("lenderAccountId", "borrowerAccountId", "expenseAccountId"):
        assert await station.balance(role) == "0.00"


async def test_a_deletion_waits_for_the_office_too(station: Station) -> None:
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    saga = await station.saga(RepaymentReversal("R1", "bounced"))
    await station.turns(saga, "pending")
    await office(station, on=False)
    await station.turns_within(saga, timedelta(hours=12))
    assert len(await station.records("directCosts")) == 1

    await office(station, on=True)
    await station.finish(saga)

    assert await station.records("directCosts") == []
