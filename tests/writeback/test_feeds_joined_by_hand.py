"""QuickBooks Online and Sage join a bank feed to an account themselves: a person does it there, and nobody tells us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import Station
from tests.writeback.test_configure import body, mapping_saga, put
from worker.errors import Rejected
from worker.writeback.configure.service import MappingService, Place
from worker.writeback.mapping import MappingState
from worker.writeback.movement import Drawdown


@pytest.fixture(params=["QuickBooks Online", "Sage"])
async def station(request: pytest.FixtureRequest, open_station: Open) -> Station:
    """A company whose bank feeds are a connection of their own."""
    station = await open_station(request.param)
    assert station.feed_connection_id != station.connection_id
    return station


def asked(station: Station, **changes: str) -> dict[str, Any]:
    create = {"kind": "source_account", "name": "Bank of Dave loan", "sort_code": "040004", **changes}
    return body(station, lender_account={"create": create})


async def waiting_for_a_person(station: Station) -> int:
    """A mapping whose source account exists and is not joined yet."""
    mapping = await put(station, asked(station, target_account_id=station.company["savingsAccountId"]))
    assert mapping.state is MappingState.CREATING
    saga = await mapping_saga(station)
    await station.drive(saga)
    return saga


async def source_id(station: Station) -> str:
    world = await station.simulator("GET", "/_simulator/world")
    company = next(one for one in world["companies"] if one["id"] == str(station.company_id))
    sources = [source for one in company["connections"] for source in one["sourceAccounts"]]
    found: str = next(one["id"] for one in sources if one["id"] != station.company["sourceAccountId"])
    return found


async def join(station: Station, source: str) -> None:
    """What the borrower does inside the software."""
    target = {"targetAccountId": station.company["savingsAccountId"]}
    await station.simulator("POST", f"/_simulator/feeds/{station.feed_connection_id}/{source}", target)


async def test_the_mapping_says_in_words_what_the_person_has_to_do(station: Station) -> None:
    saga = await waiting_for_a_person(station)

    row = await station.row("sagas", saga)
    shown = await MappingService(station.desk).current(Place(station.company_id, station.connection_id))
    assert (row["state"], row["waiting_for"], shown.state) == ("waiting", "person", MappingState.CREATING)
    assert shown.reason is not None
    assert "the borrower has to choose account" in shown.reason
    assert station.company["savingsAccountId"] in shown.reason
    assert await source_id(station) in shown.reason


async def test_it_is_looked_at_four_times_an_hour_and_becomes_ready_by_itself(station: Station) -> None:
    saga = await waiting_for_a_person(station)
    assert await station.turns_within(saga, timedelta(hours=5)) == 20

    await join(station, await source_id(station))
    await station.finish(saga)

    mapping = await MappingService(station.desk).current(Place(station.company_id, station.connection_id))
    assert (mapping.state, mapping.reason) == (MappingState.READY, None)
    assert mapping.feed_connection_id == station.feed_connection_id
    assert (mapping.lender_account_id, mapping.lender_feed_id) == (
        station.company["savingsAccountId"],
        await source_id(station),
    )


async def test_a_drawdown_waits_for_it_and_its_line_then_goes_to_the_feeds_own_connection(station: Station) -> None:
    saga = await waiting_for_a_person(station)
    drawdown = await station.saga(Drawdown("D1", 100_000))
    await station.drive(drawdown)
    assert (await station.row("sagas", drawdown))["waiting_for"] == "mapping"
    assert await station.sent() == []

    source = await source_id(station)
    await join(station, source)
    await station.finish(saga, drawdown)

    transfer, line = (one["path"] for one in await station.sent())
    assert transfer.endswith(f"/connections/{station.connection_id}/push/transfers")
    feed = f"/connections/{station.feed_connection_id}/push/bankAccounts/{source}/bankTransactions"
    assert line.endswith(feed)
    station.company |= {"sourceAccountId": source}
    assert await station.amounts() == ["-1000.00"]
    assert await station.balance("savingsAccountId") == "-1000.00"


async def test_the_account_the_person_will_choose_has_to_be_named(station: Station) -> None:
    with pytest.raises(Rejected) as refused:
        await put(station, asked(station))

    assert (refused.value.status, refused.value.field) == (422, "lender_account.create.target_account_id")
    assert "name the account the borrower will choose there" in refused.value.detail


async def test_a_feed_that_is_not_joined_yet_is_no_existing_one(station: Station) -> None:
    await waiting_for_a_person(station)
    target = station.company["savingsAccountId"]
    lender = {"source_account_id": await source_id(station), "target_account_id": target}

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, lender_account=lender))
    assert "is pending" in refused.value.detail

    await join(station, await source_id(station))
    await station.advance_clocks(timedelta(minutes=1))
    assert (await put(station, body(station, lender_account=lender))).state is MappingState.READY
