"""Setting a mapping: ids checked against the books, what is missing created once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.conftest import Open
from tests.writeback.station import Station
from worker.codat.replies import Found
from worker.errors import Rejected
from worker.jobs.job import Done
from worker.writeback.configure.request import read_mapping_request, request_document
from worker.writeback.configure.service import MappingService, Place
from worker.writeback.mapping import MappingState
from worker.writeback.movement import Drawdown
from worker.writeback.operator import Operator


def body(station: Station, **changes: Any) -> dict[str, Any]:
    company = station.company
    lender = {"id": company["lenderAccountId"]}
    if "sourceAccountId" in company:
        lender = {"source_account_id": company["sourceAccountId"], "target_account_id": company["lenderAccountId"]}
    return {
        "currency": company["baseCurrency"],
        "lender_account": lender,
        "borrower_account": {"id": company["borrowerAccountId"]},
        "expense_account": {"id": company["expenseAccountId"]},
        "supplier": {"id": company["supplierId"]},
        **({"tax_rate_id": company["taxRateId"]} if company["platform"] == "Sage Intacct" else {}),
        **changes,
    }


async def put(station: Station, document: dict[str, Any]) -> Any:
    place = Place(station.company_id, station.connection_id)
    return await MappingService(station.desk).put(place, read_mapping_request(document))


async def mapping_saga(station: Station) -> int:
    async with station.database.connection() as connection:
        saga_id: int = await connection.fetchval("select max(id) from sagas where kind = 'mapping'")
    return saga_id


async def create(station: Station, document: dict[str, Any]) -> Any:
    """Put a mapping that creates, and drive its saga to the end."""
    mapping = await put(station, document)
    assert mapping.state is MappingState.CREATING
    await station.finish(await mapping_saga(station))
    return await MappingService(station.desk).current(Place(station.company_id, station.connection_id))


@pytest.mark.parametrize(
    "platform", ["Xero", "QuickBooks Online", "Sage", "FreeAgent", "Sandbox", "QuickBooks Desktop", "Sage Intacct"]
)
async def test_existing_ids_are_ready_at_once(open_station: Open, platform: str) -> None:
    station = await open_station(platform)

    mapping = await put(station, body(station))

    assert (mapping.state, mapping.version) == (MappingState.READY, 1)
    await station.finish(await station.saga(Drawdown("D1", 100_000)))
    assert await station.amounts() == ["-1000.00"]


async def test_the_same_mapping_again_is_the_same_version_and_another_is_the_next(station: Station) -> None:
    first = await put(station, body(station))

    assert (await put(station, body(station))).version == first.version
    assert (await put(station, body(station, enabled=False))).version == first.version + 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"borrower_account": {"id": "nobody"}}, "borrower_account.id"),
        ({"expense_account": {"id": "nobody"}}, "expense_account.id"),
        ({"supplier": {"id": "nobody"}}, "supplier.id"),
        ({"currency": "EUR"}, "borrower_account.id"),
        (
            {"lender_account": {"source_account_id": "nobody", "target_account_id": "nobody"}},
            "lender_account.target_account_id",
        ),
        ({"lender_account": {"create": {"kind": "bank_account", "name": "Loan"}}}, "lender_account.create.kind"),
        ({"lender_account": {"create": {"kind": "source_account", "name": "Loan"}}}, "lender_account.create.sort_code"),
    ],
)
async def test_an_id_the_books_do_not_bear_out_is_refused_by_its_field(
    station: Station, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        await put(station, body(station, **changes))

    assert (refused.value.status, refused.value.field) == (422, field)


async def test_an_income_account_is_no_account_for_interest(station: Station) -> None:
    with pytest.raises(Rejected) as refused:
        await put(station, body(station, expense_account={"id": station.company["salesAccountId"]}))

    assert "type Expense" in refused.value.detail


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "currency"),
        ({"currency": "GBP"}, "lender_account"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "GBP", "profile": "mine"}, "profile"),
        ({"currency": "GBP", "enabled": "yes"}, "enabled"),
        ({"currency": "GBP", "lender_account": {"id": 7}}, "lender_account.id"),
        ({"currency": "GBP", "lender_account": {"create": {"kind": "x", "name": "n"}}}, "lender_account.create.kind"),
    ],
)
def test_a_malformed_mapping_is_refused_by_its_field(document: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_mapping_request(document)

    assert (refused.value.status, refused.value.field) == (400, field)


def test_a_mapping_is_stored_as_it_was_asked_for() -> None:
    document = {
        "profile": "codat-2026",
        "currency": "GBP",
        "enabled": False,
        "lender_account": {
            "create": {"kind": "source_account", "name": "Loan", "account_number": "1", "sort_code": "040004"}
        },
        "borrower_account": {"id": "b"},
        "expense_account": {"create": {"name": "Interest", "nominal_code": "7900"}},
        "supplier": {"create": {"name": "Lender"}},
    }

    assert request_document(read_mapping_request(document)) == document


NEW_FEED = {"create": {"kind": "source_account", "name": "Bank of Dave loan", "sort_code": "040004"}}
NEW_PARTS = {
    "expense_account": {"create": {"name": "Cost of borrowing", "nominal_code": "7950"}},
    "supplier": {"create": {"name": "Bank of Dave"}},
}


@pytest.mark.parametrize("platform", ["Xero", "FreeAgent"])
async def test_a_bank_feed_account_expense_account_and_supplier_are_created_and_used(
    open_station: Open, platform: str
) -> None:
    station = await open_station(platform)
    parts = {**NEW_PARTS} if platform == "Xero" else {"supplier": NEW_PARTS["supplier"]}

    mapping = await create(station, body(station, lender_account=NEW_FEED, **parts))

    assert mapping.state is MappingState.READY
    assert mapping.lender_feed_id != mapping.lender_account_id
    station.company |= {"lenderAccountId": mapping.lender_account_id, "sourceAccountId": mapping.lender_feed_id}
    await station.finish(await station.saga(Drawdown("D1", 100_000)))
    assert await station.balance("lenderAccountId") == "-1000.00"
    assert await station.amounts() == ["-1000.00"]


async def test_a_bank_account_is_created_once_and_used_for_everything(open_station: Open) -> None:
    station = await open_station("Sandbox")
    lender = {
        "create": {"kind": "bank_account", "name": "Bank of Dave loan", "nominal_code": "2301", "sort_code": "040004"}
    }

    mapping = await create(station, body(station, lender_account=lender))

    assert mapping.lender_feed_id == mapping.lender_account_id
    accounts = (await station.books())["accounts"]
    assert [account["name"] for account in accounts].count("Bank of Dave loan") == 1


@pytest.mark.parametrize("kind", ["status_before", "status_after", "cut_before", "cut_after"])
@pytest.mark.parametrize("path", ["*/push/suppliers", "*/push/accounts", "*/bankFeedAccounts", "*/mapping"])
async def test_a_creation_that_ends_badly_creates_once(station: Station, kind: str, path: str) -> None:
    await station.arrange({"kind": kind, "match": {"path": path, "method": "POST"}, "status": 500})

    mapping = await create(station, body(station, lender_account=NEW_FEED, **NEW_PARTS))

    assert mapping.state is MappingState.READY
    books = await station.books()
    assert [r["supplierName"] for r in books["records"]["suppliers"]].count("Bank of Dave") == 1
    assert [account["name"] for account in books["accounts"]].count("Cost of borrowing") == 1
    assert [account["name"] for account in books["accounts"]].count("Bank of Dave loan") == 1


async def test_a_supplier_that_exists_by_name_is_taken_instead_of_a_second_one(station: Station) -> None:
    mapping = await create(station, body(station, supplier={"create": {"name": "northgate capital"}}))

    assert mapping.supplier_id == station.company["supplierId"]
    assert await station.sent() == []


async def test_a_creation_the_books_refuse_is_shown_and_replaced_by_the_next_version(station: Station) -> None:
    await station.arrange(
        {
            "kind": "push_fails",
            "match": {"path": "*/push/accounts"},
            "itemId": "NominalCode",
            "message": "The code is in use.",
        }
    )
    await put(station, body(station, **NEW_PARTS))
    failing = await mapping_saga(station)
    await station.drive(failing)
    service, place = MappingService(station.desk), Place(station.company_id, station.connection_id)
    assert "The code is in use" in ((await service.current(place)).reason or "")

    ready = await put(station, body(station))

    assert isinstance(await station.drive(failing), Done)
    assert (await station.row("sagas", failing))["state"] == "abandoned"
    assert ready.state is MappingState.READY


async def test_a_creation_a_person_gives_up_can_be_asked_for_again(open_station: Open) -> None:
    station = await open_station()
    wanted = body(station, **NEW_PARTS)
    await put(station, wanted)
    given_up = await mapping_saga(station)

    await Operator(station.database, lambda: station.now).abandon(given_up, "not this year")

    service, place = MappingService(station.desk), Place(station.company_id, station.connection_id)
    failed = await service.current(place)
    assert (failed.state, failed.reason) == (MappingState.FAILED, "not this year")
    again = await create(station, wanted)
    assert (again.version, again.state) == (2, MappingState.READY)


async def test_a_feed_of_that_name_that_feeds_another_account_is_shown_instead_of_taken(open_station: Open) -> None:
    station = await open_station()
    first = await create(station, body(station, lender_account=NEW_FEED))
    wanted = {"create": {**NEW_FEED["create"], "target_account_id": station.company["lenderAccountId"]}}
    await put(station, body(station, lender_account=wanted))
    contradicted = await mapping_saga(station)

    await station.drive(contradicted)

    saga = await station.row("sagas", contradicted)
    assert saga["waiting_for"] == "person"
    assert f"feeds account {first.lender_account_id} already" in saga["reason"]
    await put(station, body(station))
    assert isinstance(await station.drive(contradicted), Done)


async def test_a_feed_in_another_currency_is_neither_taken_nor_created_over(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = station.codat.list_mappings

    async def in_euros(*where: Any) -> Any:
        reply = await listed(*where)
        assert isinstance(reply, Found)
        return Found([replace(feed, currency="EUR") for feed in reply.value])

    monkeypatch.setattr(station.codat, "list_mappings", in_euros)
    with pytest.raises(Rejected) as refused:
        await put(station, body(station))
    assert (refused.value.field, "is in EUR" in refused.value.detail) == ("lender_account.source_account_id", True)

    await put(station, body(station, lender_account=NEW_FEED))
    await station.drive(await mapping_saga(station))
    saga = await station.row("sagas", await mapping_saga(station))
    assert (saga["waiting_for"], "exists in EUR" in saga["reason"]) == ("person", True)


SOURCE_ACCOUNTS = {"path": "*/connectionInfo/bankFeedAccounts", "method": "POST"}


@pytest.mark.parametrize(("status", "waiting_for"), [(401, "codat"), (403, "person"), (404, "person"), (500, "codat")])
async def test_a_feed_codat_never_creates_is_shown_and_asked_for_ever_more_rarely(
    station: Station, status: int, waiting_for: str
) -> None:
    for_good = {"kind": "status_before", "status": status, "times": 1_000, "match": SOURCE_ACCOUNTS}
    await station.arrange(for_good)
    create = {"kind": "source_account", "name": "Northgate loans", "sort_code": "040004"}
    await put(station, body(station, lender_account={"create": create}))
    saga = await mapping_saga(station)

    await station.turns_within(saga, timedelta(hours=2))

    row = await station.row("sagas", saga)
    assert (row["state"], row["waiting_for"]) == ("waiting", waiting_for)
    asked = (await station.simulator("GET", "/_simulator/requests"))["requests"]
    assert len([one for one in asked if one["path"].endswith("/bankFeedAccounts") and one["method"] == "POST"]) < 40
