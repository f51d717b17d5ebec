"""Reading the books for a lost step's record: what Codat does not read, cannot read or will not answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import COSTS, TRANSFERS, Document, Station
from worker.codat.replies import CodatError, Found, Missing
from worker.writeback.movement import Drawdown, Repayment, RepaymentReversal
from worker.writeback.operator import Operator

DELETIONS = {"path": "*/push/directCosts/*", "method": "DELETE"}


async def lost_transfer(station: Station) -> int:
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "unknown")
    return saga


async def freeze_readings(station: Station, monkeypatch: pytest.MonkeyPatch, **changes: Document) -> None:
    """Codat says from now on that its readings are as old as they are now."""
    status = await station.codat.data_status(station.company_id)
    assert isinstance(status, Found)

    async def frozen(company_id: Any) -> Any:
        return Found(status.value | changes)

    monkeypatch.setattr(station.codat, "data_status", frozen)


async def test_a_reading_that_never_ends_is_shown_and_asked_after_ever_more_rarely(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await lost_transfer(station)
    await freeze_readings(station, monkeypatch)

    first, later = (
        await station.turns_within(saga, timedelta(hours=1)),
        await station.turns_within(saga, timedelta(hours=6)),
    )

    row = await station.row("sagas", saga)
    assert (row["state"], row["waiting_for"]) == ("waiting", "codat")
    assert "not yet read the borrower's transfers" in row["reason"]
    assert first < 40
    assert later / 6 < first


async def test_a_reading_that_failed_waits_for_the_connection_and_says_how(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    saga = await lost_transfer(station)
    with monkeypatch.context() as failing:
        await freeze_readings(station, failing, transfers={"currentStatus": "FetchError"})
        await station.drive(saga)
        row = await station.row("sagas", saga)
        assert (row["state"], row["waiting_for"]) == ("waiting", "connection")
        assert "FetchError" in row["reason"]

    await station.finish(saga)
    assert len(await station.records("transfers")) == 1


async def test_a_lost_step_of_a_disconnected_borrower_waits_for_the_connection(station: Station) -> None:
    saga = await lost_transfer(station)
    await station.connection_becomes("Deauthorized")
    await station.advance_clocks(station.timings.connection_fresh)

    await station.drive(saga)

    row = await station.row("sagas", saga)
    assert (row["state"], row["waiting_for"]) == ("waiting", "connection")
    assert "Deauthorized" in row["reason"]
    await station.connection_becomes("Linked")
    await station.finish(saga)


@pytest.mark.parametrize("word", [None, "NotSupported"])
async def test_a_platform_without_direct_incomes_is_not_waited_for(
    open_station: Open, word: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = await open_station("Sage")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    status = station.codat.data_status

    async def without_incomes(company_id: Any) -> Any:
        reply = await status(company_id)
        if not isinstance(reply, Found):
            return reply
        incomes = {"directIncomes": {"currentStatus": word}} if word else {}
        return Found({name: value for name, value in reply.value.items() if name != "directIncomes"} | incomes)

    monkeypatch.setattr(station.codat, "data_status", without_incomes)
    await station.arrange({"kind": "status_after", "match": COSTS, "status": 503})

    await station.finish(await station.saga(RepaymentReversal("R1", "bounced")))

    assert await station.balance("lenderAccountId") == "0.00"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "status_before", "status_after"])
async def test_a_deletion_whose_answer_was_lost_deletes_the_cost_and_nothing_else(
    open_station: Open, kind: str
) -> None:
    station = await open_station("QuickBooks Desktop")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    await station.finish(await station.saga(Repayment("R2", 33_333, 6_667, 0), "LN-2"))
    await station.arrange({"kind": kind, "match": DELETIONS, "status": 503})

    await station.finish(await station.saga(RepaymentReversal("R1", "bounced")))

    assert len(await station.records("directCosts")) == 1
    assert await station.balance("lenderAccountId") == "333.33"


async def test_a_deletion_sent_again_after_its_process_died_finds_the_cost_gone(
    open_station: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = await open_station("QuickBooks Desktop")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    delete = station.codat.delete_direct_cost

    async def deleted_in_vain(*place: Any) -> Any:
        await delete(*place)
        await station.advance_clocks(timedelta(minutes=1))
        monkeypatch.setattr(station.codat, "delete_direct_cost", delete)
        raise ConnectionAbortedError

    monkeypatch.setattr(station.codat, "delete_direct_cost", deleted_in_vain)
    reversal = await station.saga(RepaymentReversal("R1", "bounced"))
    with pytest.raises(ConnectionAbortedError):
        await station.drive(reversal)

    await station.finish(reversal)

    assert await station.records("directCosts") == []
    assert await station.balance("lenderAccountId") == "0.00"


async def test_a_cost_that_is_gone_already_counts_as_deleted_once_the_books_were_read(
    open_station: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = await open_station("QuickBooks Desktop")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    (cost,) = await station.records("directCosts")
    await station.codat.delete_direct_cost(station.company_id, station.connection_id, cost["id"])
    await station.advance_clocks(timedelta(minutes=1))

    async def not_found(*place: Any, **options: Any) -> Any:
        return Missing(CodatError(404, "No direct cost was found"))

    monkeypatch.setattr(station.codat, "delete_direct_cost", not_found)

    await station.finish(await station.saga(RepaymentReversal("R1", "bounced")))

    assert await station.records("directCosts") == []


async def deletable_cost(open_station: Open) -> tuple[Station, str]:
    """A station that can delete costs, and the cost of its one repayment."""
    station = await open_station("QuickBooks Desktop")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    (cost,) = await station.records("directCosts")
    return station, cost["id"]


async def test_a_deletion_refused_because_the_cost_is_gone_has_succeeded(
    open_station: Open,
) -> None:
    station, cost = await deletable_cost(open_station)
    await station.codat.delete_direct_cost(station.company_id, station.connection_id, cost)
    await station.advance_clocks(timedelta(minutes=1))
    saga = await station.saga(RepaymentReversal("R1", "bounced"))

    await station.finish(saga)

    story = "\n".join(await station.story(saga))
    assert "No direct cost with this id is in the books." in story
    assert f"look | found | {cost}" in story


async def test_a_deletion_refused_while_the_cost_is_in_the_books_is_shown_to_a_person(
    open_station: Open,
) -> None:
    station, _ = await deletable_cost(open_station)
    refusal = {"itemId": "Id", "message": "This payment was reconciled."}
    await station.arrange({"kind": "push_fails", "match": DELETIONS, **refusal})
    saga = await station.saga(RepaymentReversal("R1", "bounced"))

    await station.drive(saga)
    row = await station.row("sagas", saga)
    assert (row["waiting_for"], row["reason"]) == ("person", "Id: This payment was reconciled.")
    assert len(await station.records("directCosts")) == 1

    await Operator(station.database, lambda: station.now).retry(saga)
    await station.finish(saga)
    assert await station.records("directCosts") == []


async def test_a_refused_deletion_that_another_saga_has_carried_out_is_left_to_a_person(
    open_station: Open,
) -> None:
    station, cost = await deletable_cost(open_station)
    other = await station.saga(Repayment("R2", 33_333, 6_667, 0), "LN-2")
    await station.finish(other)
    await station.codat.delete_direct_cost(station.company_id, station.connection_id, cost)
    await station.advance_clocks(timedelta(minutes=1))
    async with station.database.connection() as connection:
        await connection.execute(
            "update steps set kind = 'delete_direct_cost', record_id = $2 where saga_id = $1 and kind = 'direct_cost'",
            other,
            cost,
        )
    saga = await station.saga(RepaymentReversal("R1", "bounced"))

    await station.drive(saga)

    row = await station.row("sagas", saga)
    assert row["waiting_for"] == "person"
    assert f"record {cost} is gone, and another saga says that it has deleted it" in row["reason"]


async def lost_giving_back(open_station: Open) -> tuple[Station, int]:
    """A cost given back, which some platforms keep as a direct income, whose answer was lost."""
    station = await open_station("Sage")
    await station.map()
    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))
    await station.arrange({"kind": "status_before", "match": COSTS, "status": 503})
    saga = await station.saga(RepaymentReversal("R1", "bounced"))
    await station.turns(saga, "unknown")
    return station, saga


async def readings_of_lost_cost(station: Station, saga: int) -> int:
    """Look once more; how many readings of the books have come since the answer was lost."""
    await station.advance_clocks(timedelta(seconds=10))
    await station.handler.run_once(saga)
    step = next(step for step in await station.steps(saga) if step["state"] == "unknown")
    count: int = step["syncs_seen"]
    return count


def readings(costs: str, incomes: str | None) -> Document:
    moments = {"directCosts": costs} | ({"directIncomes": incomes} if incomes else {})
    return {kind: {"currentStatus": "Complete", "lastSuccessfulSync": at} for kind, at in moments.items()}


async def test_each_kind_of_record_is_read_again_by_its_own_last_reading(
    open_station: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    station, saga = await lost_giving_back(open_station)

    await freeze_readings(station, monkeypatch, **readings("2026-03-02T07:00:00Z", "2026-03-02T08:00:00Z"))
    assert await readings_of_lost_cost(station, saga) == 0
    await freeze_readings(station, monkeypatch, **readings("2026-03-02T07:30:00Z", "2026-03-02T08:00:00Z"))
    assert await readings_of_lost_cost(station, saga) == 0
    await freeze_readings(station, monkeypatch, **readings("2026-03-02T07:30:00Z", "2026-03-02T08:30:00Z"))
    assert await readings_of_lost_cost(station, saga) == 1


async def test_a_reading_nobody_asked_for_does_not_count(open_station: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    station, saga = await lost_giving_back(open_station)
    without = {"directIncomes": {"currentStatus": "NotSupported"}}

    await freeze_readings(station, monkeypatch, **readings("2026-03-02T07:00:00Z", None), **without)
    assert await readings_of_lost_cost(station, saga) == 0
    await freeze_readings(station, monkeypatch, **readings("2026-03-02T07:30:00Z", "2026-03-02T06:00:00Z"))

    assert await readings_of_lost_cost(station, saga) == 0
