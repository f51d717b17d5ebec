"""A record that may be a lost step's and may be another's is never taken, and never written again, without a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import LINES, TRANSFERS, Station
from worker.codat.records import RecordKind
from worker.codat.replies import Found
from worker.jobs.job import Done
from worker.writeback.movement import Drawdown
from worker.writeback.operator import Operator


def list_transfers_as_of(station: Station, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transfers are listed with this date, whatever they were written with."""
    listed = station.codat.list_records

    async def redated(kind: RecordKind, *place: Any, **where: Any) -> Any:
        company_id, connection_id, query = place
        by_date = kind is RecordKind.TRANSFER and query.startswith("date")
        reply = await listed(kind, company_id, connection_id, "" if by_date else query, **where)
        if kind is not RecordKind.TRANSFER or not isinstance(reply, Found):
            return reply
        near = not by_date or "2026-03-01" <= day[:10] <= "2026-03-04"
        return Found([record | {"date": day} for record in reply.value] if near else [])

    monkeypatch.setattr(station.codat, "list_records", redated)


async def push_of_another_program(station: Station, path: str, body: dict[str, Any], connection_id: Any) -> None:
    url = f"{station.url}/companies/{station.company_id}/connections/{connection_id}/push/{path}"
    async with station.session.post(url, json=body, headers={"Authorization": "Basic a2V5"}) as response:
        assert response.status == 200, await response.text()


async def test_a_lost_transfer_that_is_listed_a_day_off_is_adopted(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_transfers_as_of(station, "2026-03-01T23:00:00Z", monkeypatch)
    await station.arrange({"kind": "status_after", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.finish(saga)

    transfers = await station.records("transfers")
    assert [transfer["id"] for transfer in transfers] == [(await station.steps(saga))[0]["record_id"]]


async def test_a_lost_transfer_that_a_bookkeeper_has_moved_is_left_to_a_person(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_transfers_as_of(station, "2026-03-20T00:00:00Z", monkeypatch)
    await station.arrange({"kind": "status_after", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.drive(saga)

    (transfer,) = await station.records("transfers")
    row = await station.row("sagas", saga)
    assert row["waiting_for"] == "person"
    assert transfer["id"] in row["reason"]
    await Operator(station.database, lambda: station.now).adopt(saga, transfer["id"])
    await station.finish(saga)
    assert len(await station.records("transfers")) == 1


async def test_a_bookkeepers_equal_transfer_of_the_day_before_is_not_taken_for_ours(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    await station.finish(await station.saga(Drawdown("D1", 100_000)))
    async with station.database.transaction() as connection:
        await connection.execute("update steps set record_id = 'another', push_operation_key = null where n = 1")
    await station.advance_clocks(station.timings.clocks_differ * 2)
    list_transfers_as_of(station, "2026-03-01T23:00:00Z", monkeypatch)
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D2", 100_000), "LN-2")

    await station.drive(saga)

    row = await station.row("sagas", saga)
    assert (row["waiting_for"], (await station.steps(saga))[0]["state"]) == ("person", "unknown")
    assert "a day off" in row["reason"]
    await Operator(station.database, lambda: station.now).retry(saga)
    await station.finish(saga)
    assert len(await station.records("transfers")) == 2


async def test_another_programs_transfer_of_other_accounts_and_amount_does_not_stop_a_lost_one(
    station: Station,
) -> None:
    await station.arrange({"kind": "status_before", "match": TRANSFERS, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "unknown")
    step = (await station.steps(saga))[0]
    other = step["body"].decode().replace("1000.00", "12.00")
    savings, lender = station.company["savingsAccountId"], station.company["lenderAccountId"]
    body = json.loads(other.replace(lender, savings))
    await push_of_another_program(station, "transfers", body, station.connection_id)

    await station.finish(saga)

    assert len(await station.records("transfers")) == 2
    assert await station.balance("lenderAccountId") == "-1000.00"


async def test_another_programs_line_on_a_statement_nobody_can_read_is_not_taken_for_ours(station: Station) -> None:
    await station.arrange({"kind": "status_before", "match": LINES, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))
    await station.turns(saga, "unknown")
    account = station.company["sourceAccountId"]
    line = {"id": "someone-else-1", "amount": 12, "balance": 12, "date": "2026-03-02T00:00:00Z", "description": "other"}
    body = {"accountId": account, "transactions": [line]}
    await push_of_another_program(station, f"bankAccounts/{account}/bankTransactions", body, station.feed_connection_id)

    await station.drive(saga)

    row, step = await station.row("sagas", saga), (await station.steps(saga))[1]
    assert (row["waiting_for"], step["state"]) == ("person", "unknown")
    await Operator(station.database, lambda: station.now).retry(saga)
    await station.finish(saga)
    assert len(await station.lines()) == 2
    assert isinstance(await station.handler.advance(saga), Done)


async def test_a_lost_line_that_the_push_history_names_is_adopted(open_station: Open) -> None:
    station = await open_station("Xero")
    await station.map()
    await station.arrange({"kind": "status_after", "match": LINES, "status": 503})
    saga = await station.saga(Drawdown("D1", 100_000))

    await station.finish(saga)

    assert await station.amounts() == ["-1000.00"]
    assert (await station.steps(saga))[1]["push_operation_key"] is not None
