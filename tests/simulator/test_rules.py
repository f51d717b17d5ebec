"""What each platform refuses: every rule of an options model is also the rule a write is held to."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.client import Client, Document, Open

PLATFORMS = ("Xero", "QuickBooks", "Sage", "FreeAgent", "Sandbox", "QuickBooks Desktop", "Sage Intacct")


def required_paths(properties: Document, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field an options model requires, inside objects and arrays it also requires."""
    for name, field in properties.items():
        if field["required"]:
            yield (*prefix, name)
            yield from required_paths(field.get("properties", {}), (*prefix, name))


def without(body: Document, path: tuple[str, ...]) -> Document:
    """The body with one field left out."""
    changed = deepcopy(body)
    node: Any = changed
    for name in path[:-1]:
        node = node[name]
        node = node[0] if isinstance(node, list) else node
    del node[path[-1]]
    return changed


def changed(body: Document, path: tuple[str | int, ...], value: object) -> Document:
    """The body with one field set to something else."""
    copy = deepcopy(body)
    node: Any = copy
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = value
    return copy


async def refusal(client: Client, records: str, body: Document) -> list[str]:
    """The fields named when a write is refused."""
    operation = await client.push(f"{client.connection}/push/{records}", body)
    assert operation["status"] == "Failed", operation
    assert operation["statusCode"] == 400
    return [error["itemId"] for error in operation["validation"]["errors"]]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("records", ["transfers", "directCosts"])
async def test_a_write_without_any_field_its_options_require_is_refused_naming_it(
    platform: str, records: str, open_company: Open
) -> None:
    client = await open_company(platform)
    body = client.transfer("10") if records == "transfers" else client.cost("10")
    model = await client.get(f"{client.connection}/options/{records}")
    paths = list(required_paths(model["properties"]))
    assert len(paths) > 5
    for path in paths:
        named = await refusal(client, records, without(body, path))
        assert any(item.rpartition(".")[2].partition("[")[0].lower() == path[-1].lower() for item in named), (
            path,
            named,
        )


@pytest.mark.parametrize(
    ("path", "value", "item"),
    [
        (("from", "amount"), 0, "From.Amount"),
        (("from", "amount"), -10, "From.Amount"),
        (("to", "amount"), 11, "To.Amount"),
        (("from", "amount"), Decimal("10.001"), "From.Amount"),
        (("to", "currency"), "EUR", "To.Currency"),
        (("from", "accountRef", "id"), "nowhere", "From.AccountRef.Id"),
    ],
)
@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_transfer_moves_one_positive_amount_between_accounts_that_exist(
    platform: str, path: tuple[str, ...], value: object, item: str, open_company: Open
) -> None:
    client = await open_company(platform)
    assert item in await refusal(client, "transfers", changed(client.transfer("10"), path, value))
    assert (await client.books())["records"]["transfers"] == []


@pytest.mark.parametrize("platform", ["Xero", "Sage", "FreeAgent"])
async def test_only_bank_accounts_take_part_in_a_transfer_on_most_platforms(platform: str, open_company: Open) -> None:
    client = await open_company(platform)
    body = client.transfer("10", target="expenseAccountId")
    assert await refusal(client, "transfers", body) == ["To.AccountRef.Id"]


LINE = ("lineItems", 0)


@pytest.mark.parametrize(
    ("platform", "path", "value", "item"),
    [
        ("Xero", ("contactRef", "id"), "bank-of-dave", "ContactRef.Id"),
        ("Xero", ("contactRef", "id"), "7b7a1f8e-0000-4000-8000-000000000000", "ContactRef.Id"),
        ("Xero", ("reference",), "r" * 256, "Reference"),
        ("Xero", (*LINE, "description"), "d" * 4001, "LineItems[0].Description"),
        (
            "Xero",
            ("paymentAllocations", 0, "allocation", "totalAmount"),
            11,
            "PaymentAllocations[0].Allocation.TotalAmount",
        ),
        ("QuickBooks", ("reference",), "r" * 22, "Reference"),
        ("QuickBooks", ("contactRef", "dataType"), "customers", "ContactRef.DataType"),
        ("QuickBooks", (*LINE, "taxRateRef", "id"), "20%", "LineItems[0].TaxRateRef.Id"),
        ("Sage", ("currency",), "EUR", "Currency"),
        ("FreeAgent", ("currency",), "EUR", "Currency"),
        ("FreeAgent", ("note",), "", "Note"),
        ("QuickBooks Desktop", ("currency",), "EUR", "Currency"),
        ("QuickBooks Desktop", ("note",), "n" * 4097, "Note"),
        ("Sage Intacct", ("note",), "n" * 81, "Note"),
        ("Sage Intacct", (*LINE, "taxRateRef", "id"), "nobody", "LineItems[0].TaxRateRef.Id"),
        ("Sandbox", ("totalAmount",), 11, "TotalAmount"),
        ("Sandbox", ("id",), "mine", "Id"),
    ],
)
async def test_a_direct_cost_is_held_to_its_platform_s_rules(
    platform: str, path: tuple[str | int, ...], value: object, item: str, open_company: Open
) -> None:
    client = await open_company(platform)
    assert item in await refusal(client, "directCosts", changed(client.cost("10"), path, value))


async def test_quickbooks_pays_a_cost_from_bank_or_asset_and_books_it_to_expense_or_income(open_company: Open) -> None:
    client = await open_company("QuickBooks")
    body = client.cost("10", "expenseAccountId")
    assert await refusal(client, "directCosts", body) == ["PaymentAllocations[0].Payment.AccountRef.Id"]
    body = changed(client.cost("10"), (*LINE, "accountRef", "id"), client.company["borrowerAccountId"])
    assert await refusal(client, "directCosts", body) == ["LineItems[0].AccountRef.Id"]


async def test_freeagent_takes_exactly_one_line(open_company: Open) -> None:
    client = await open_company("FreeAgent")
    body = client.cost("10")
    body["lineItems"] *= 2
    assert await refusal(client, "directCosts", body) == ["LineItems"]


async def test_freeagent_keeps_neither_reference_nor_contact(open_company: Open) -> None:
    client = await open_company("FreeAgent")
    await client.push(f"{client.connection}/push/directCosts", client.cost("10"))
    record = (await client.books())["records"]["directCosts"][0]
    assert "reference" not in record
    assert "contactRef" not in record
    assert record["note"] == "Loan fee"


@pytest.mark.parametrize(
    ("platform", "kept"),
    [
        ("Xero", None),
        ("FreeAgent", None),
        ("Sage", None),
        ("QuickBooks", "LN1"),
        ("QuickBooks Desktop", "LN1"),
        ("Sandbox", "LN1"),
    ],
)
async def test_only_some_platforms_keep_the_description_of_a_transfer(
    platform: str, kept: str | None, open_company: Open
) -> None:
    client = await open_company(platform)
    await client.push(f"{client.connection}/push/transfers", {**client.transfer("10"), "description": "LN1"})
    assert (await client.books())["records"]["transfers"][0]["description"] == kept


@pytest.mark.parametrize(("platform", "data_type"), [("Xero", "directIncomes"), ("Sandbox", "directCosts")])
async def test_a_negative_direct_cost_goes_the_other_way_and_is_an_income_on_xero(
    platform: str, data_type: str, open_company: Open
) -> None:
    client = await open_company(platform)
    operation = await client.push(f"{client.connection}/push/directCosts", client.cost("-10"))
    assert operation["changes"][0]["recordRef"]["dataType"] == data_type
    assert await client.balance("lenderAccountId") == "10.00"
    assert await client.balance("expenseAccountId") == "-10.00"
    assert len((await client.get(f"{client.connection}/data/{data_type}"))["results"]) == 1


async def test_xero_wants_all_lines_negative_once_one_is(open_company: Open) -> None:
    client = await open_company("Xero")
    body = client.cost("10")
    body["lineItems"] = [
        {**body["lineItems"][0], "unitAmount": 15},
        {**body["lineItems"][0], "unitAmount": -5},
    ]
    assert "LineItems" in await refusal(client, "directCosts", body)


async def test_a_direct_cost_is_deleted_only_where_the_platform_can(open_company: Open) -> None:
    client = await open_company("QuickBooks Desktop")
    operation = await client.push(f"{client.connection}/push/directCosts", client.cost("10"))
    record_id = operation["changes"][0]["recordRef"]["id"]
    reply = await client.call("DELETE", f"{client.connection}/push/directCosts/{record_id}")
    assert reply.status == 200
    await client.advance(10)
    deleted = await client.get(f"{client.base}/push/{reply.json['pushOperationKey']}")
    assert deleted["changes"][0]["type"] == "Deleted"
    assert await client.balance("expenseAccountId") == "0.00"
    record = await client.get(f"{client.connection}/data/directCosts/{record_id}")
    assert record["metadata"]["isDeleted"]
    xero = await open_company("Xero")
    assert (await xero.call("DELETE", f"{xero.connection}/push/directCosts/{record_id}")).status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"date": 5}', b'{"from": []}', b'{"from": {"amount": "10"}}'])
async def test_a_body_of_the_wrong_shape_fails_the_request_itself(body: bytes, open_company: Open) -> None:
    client = await open_company()
    assert (await client.call("POST", f"{client.connection}/push/transfers", body)).status == 400


async def test_xero_has_no_model_of_a_bank_account(open_company: Open) -> None:
    client = await open_company("Xero")
    assert (await client.call("GET", f"{client.connection}/options/bankAccounts")).status == 404
    assert (await client.call("POST", f"{client.connection}/push/bankAccounts", {"accountName": "L"})).status == 404


async def test_a_date_on_or_before_the_lock_date_is_refused(open_company: Open) -> None:
    client = await open_company()
    lock = f"/_simulator/companies/{client.company['id']}"
    await client.call("POST", lock, {"ledgerLockDate": "2026-03-02"})
    assert (await client.get(f"{client.base}/data/info"))["ledgerLockDate"] == "2026-03-02T00:00:00Z"
    assert await refusal(client, "transfers", client.transfer("10")) == ["Date"]
    assert await refusal(client, "directCosts", client.cost("10")) == ["IssueDate"]
    await client.call("POST", lock, {"ledgerLockDate": "2026-03-01"})
    assert (await client.push(f"{client.connection}/push/transfers", client.transfer("10")))["status"] == "Success"


async def test_an_archived_account_takes_no_more_writes(open_company: Open) -> None:
    client = await open_company()
    account = client.company["borrowerAccountId"]
    await client.call("DELETE", f"/_simulator/accounts/{client.company['id']}/{account}")
    assert await refusal(client, "transfers", client.transfer("10")) == ["To.AccountRef.Id"]
