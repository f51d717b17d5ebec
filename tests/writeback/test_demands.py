"""What a mapping creates is held against the connection's own options model, before anything is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import Station
from tests.writeback.test_configure import body, create, mapping_saga, put
from worker.errors import Rejected
from worker.jobs.job import Done
from worker.writeback.configure.service import MappingService, Place
from worker.writeback.mapping import MappingState
from worker.writeback.movement import Drawdown, Repayment

BANK = {"kind": "bank_account", "name": "Bank of Dave loan", "nominal_code": "2301"}


def lender(**changes: Any) -> dict[str, Any]:
    return {"lender_account": {"create": {**BANK, **changes}}}


def expense(**create: str) -> dict[str, Any]:
    return {"expense_account": {"create": {"name": "Cost of borrowing", **create}}}


def supplier(name: str) -> dict[str, Any]:
    return {"supplier": {"create": {"name": name}}}


@pytest.mark.parametrize(
    ("platform", "changes", "field", "words"),
    [
        ("QuickBooks Desktop", lender(name="x" * 32), "lender_account.create.name", "31 are kept at most"),
        ("QuickBooks Desktop", lender(nominal_code=None), "lender_account.create.nominal_code", "is required"),
        ("QuickBooks Desktop", lender(nominal_code="23010000"), "lender_account.create.nominal_code", "8 characters"),
        ("QuickBooks Desktop", supplier("x" * 42), "supplier.create.name", "41 are kept at most"),
        ("QuickBooks Online", expense(), "expense_account.create.category", "Expense.Expense.InterestPaid"),
        ("Xero", expense(nominal_code="1", category="Costs"), "expense_account.create.category", "is Costs"),
        ("Xero", expense(), "expense_account.create.nominal_code", "is required"),
        ("Sage", {**lender(), "currency": "EUR"}, "currency", "base currency GBP"),
        ("Sage", expense(nominal_code="79A"), "expense_account.create.nominal_code", "a number from 1 to 99999999"),
        ("FreeAgent", expense(), "expense_account.create", "give the id of one that exists"),
    ],
)
async def test_a_creation_the_connection_would_refuse_is_refused_at_once_by_its_field(
    open_station: Open, platform: str, changes: dict[str, Any], field: str, words: str
) -> None:
    station = await open_station(platform)

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, **changes))

    assert (refused.value.status, refused.value.field) == (422, field)
    assert words in refused.value.detail
    assert await station.sent() == []


@pytest.mark.parametrize(
    ("platform", "parts"),
    [
        ("QuickBooks Desktop", {**lender(), **expense(nominal_code="7950"), **supplier("Bank of Dave")}),
        ("QuickBooks Online", expense(category="Expense.Expense.InterestPaid")),
        ("Sage Intacct", {**expense(nominal_code="7950", category="Total Expenses"), **supplier("Bank of Dave")}),
    ],
)
async def test_what_fits_the_connections_model_is_created_and_used(
    open_station: Open, platform: str, parts: dict[str, Any]
) -> None:
    station = await open_station(platform)

    mapping = await create(station, body(station, **parts))

    assert mapping.state is MappingState.READY
    station.company |= {"lenderAccountId": mapping.lender_account_id, "expenseAccountId": mapping.expense_account_id}
    await station.finish(
        await station.saga(Drawdown("D1", 100_000)), await station.saga(Repayment("R1", 33_333, 6_667, 0))
    )
    assert await station.balance("lenderAccountId") == "-666.67"
    assert await station.balance("expenseAccountId") == "66.67"


async def unread_options(station: Station, times: int) -> None:
    await station.arrange({"kind": "status_before", "status": 503, "match": {"path": "*/options/*"}, "times": times})


async def test_a_model_that_cannot_be_read_at_once_is_asked_for_again_before_anything_is_sent(
    open_station: Open,
) -> None:
    station = await open_station("QuickBooks Desktop")
    await unread_options(station, 1_000)
    await put(station, body(station, **lender(name="x" * 32)))
    saga = await mapping_saga(station)
    await station.turns_within(saga, timedelta(hours=1))
    waiting = await station.row("sagas", saga)
    assert (waiting["state"], waiting["waiting_for"]) == ("waiting", "codat")
    await station.simulator("DELETE", "/_simulator/faults")

    outcome = await station.drive(saga, until_waiting=False)

    assert isinstance(outcome, Done)
    mapping = await MappingService(station.desk).current(Place(station.company_id, station.connection_id))
    assert mapping.state is MappingState.FAILED
    assert mapping.reason is not None
    assert mapping.reason.startswith("lender_account.create.name has 32 characters, 31 are kept at most")
    assert await station.sent() == []
    assert (await create(station, body(station, **lender()))).state is MappingState.READY


@pytest.mark.parametrize(
    ("tax_rate", "words"),
    [(None, "is required"), ("nobody", "is no tax rate"), ("TAX", "a rate of 20 %")],
)
async def test_a_platform_that_taxes_every_cost_needs_a_rate_of_nothing(
    open_station: Open, tax_rate: str | None, words: str
) -> None:
    station = await open_station("Sage Intacct")

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, tax_rate_id=tax_rate))

    assert (refused.value.status, refused.value.field) == (422, "tax_rate_id")
    assert words in refused.value.detail


@pytest.mark.parametrize("platform", ["Xero", "QuickBooks Online", "Sage Intacct"])
async def test_a_direct_cost_names_the_tax_rate_of_its_mapping(open_station: Open, platform: str) -> None:
    station = await open_station(platform)
    mapping = await put(station, body(station, tax_rate_id=station.company["taxRateId"]))

    await station.finish(await station.saga(Repayment("R1", 33_333, 6_667, 0)))

    assert mapping.request.tax_rate_id == station.company["taxRateId"]
    (cost,) = await station.records("directCosts")
    assert cost["lineItems"][0]["taxRateRef"]["id"] == station.company["taxRateId"]


async def test_a_rate_the_platform_offers_to_everybody_is_no_exception(open_station: Open) -> None:
    station = await open_station("QuickBooks Online")

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, tax_rate_id="TAX"))

    assert "a rate of 20 %" in refused.value.detail


async def test_a_bank_feed_on_a_connection_nobody_knows_is_refused_by_its_field(open_station: Open) -> None:
    station = await open_station("Sage")
    source, target = station.company["sourceAccountId"], station.company["lenderAccountId"]
    feed = {"source_account_id": source, "target_account_id": target, "connection_id": str(uuid4())}

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, lender_account=feed))

    assert (refused.value.status, refused.value.field) == (422, "lender_account.connection_id")


async def test_a_tax_rate_is_asked_for_even_while_the_model_cannot_be_read(open_station: Open) -> None:
    station = await open_station("Sage Intacct")
    await unread_options(station, 1)

    with pytest.raises(Rejected) as refused:
        await put(station, body(station, tax_rate_id=None))

    assert refused.value.field == "tax_rate_id"
