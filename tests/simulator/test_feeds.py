"""Bank feeds: source accounts, their mapping, and what a statement accepts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.simulator.client import Client, Document, Open

SOURCE = {
    "id": "bod-1",
    "accountName": "Bank of Dave loan",
    "accountType": "loan",
    "accountNumber": "66260701",
    "sortCode": "040004",
    "currency": "GBP",
    "balance": 0,
}


async def push_lines(client: Client, body: Document) -> Document:
    account_id = body["accountId"]
    connection = client.feeds if account_id == client.company.get("sourceAccountId") else client.connection
    return await client.push(f"{connection}/push/bankAccounts/{account_id}/bankTransactions", body)


def dated(client: Client, *dates: str) -> Document:
    body = client.lines(client.company["sourceAccountId"], *("10" for _ in dates))
    for number, (line, day) in enumerate(zip(body["transactions"], dates, strict=True)):
        line |= {"date": day, "id": f"{number}-{day}"}
    return body


def problems(operation: Document) -> list[str]:
    assert operation["status"] == "Failed", operation
    return [error["itemId"] for error in operation["validation"]["errors"]]


async def mapping_of(client: Client, source_id: str) -> Document:
    mappings = await client.get(f"{client.connection}/bankFeedAccounts/mapping")
    return next(m for m in mappings if m["sourceAccountId"] == source_id)


async def test_xero_opens_the_account_of_a_mapping_without_a_target_when_the_mappings_are_next_asked_for(
    open_company: Open,
) -> None:
    client = await open_company("Xero")
    source = await client.call("POST", f"{client.connection}/connectionInfo/bankFeedAccounts", SOURCE)
    assert (source.status, source.json["status"]) == (200, "pending")
    await client.call("POST", f"{client.connection}/bankFeedAccounts/mapping", {"sourceAccountId": "bod-1"})
    await client.advance(3600)
    names = [account["name"] for account in (await client.books())["accounts"]]
    assert "Bank of Dave loan" not in names
    first = await mapping_of(client, "bod-1")
    assert first["status"] == "connecting"
    await client.advance(10)
    second = await mapping_of(client, "bod-1")
    assert (second["status"], second["targetAccountName"]) == ("connected", "Bank of Dave loan")
    bank_accounts = await client.get(f"{client.connection}/data/bankAccounts?query=id={second['targetAccountId']}")
    assert bank_accounts["totalResults"] == 1


async def test_a_source_account_is_mapped_to_one_of_its_options(open_company: Open) -> None:
    client = await open_company("FreeAgent")
    await client.call("POST", f"{client.connection}/connectionInfo/bankFeedAccounts", SOURCE)
    options = [option["id"] for option in (await mapping_of(client, "bod-1"))["targetAccountOptions"]]
    assert client.company["lenderAccountId"] not in options
    target = client.company["savingsAccountId"]
    assert target in options
    path = f"{client.connection}/bankFeedAccounts/mapping"
    taken = {"sourceAccountId": "bod-1", "targetAccountId": client.company["lenderAccountId"]}
    assert (await client.call("POST", path, taken)).status == 400
    mapped = await client.call("POST", path, {"sourceAccountId": "bod-1", "targetAccountId": target})
    assert mapped.json["status"] == "connecting"
    await client.advance(10)
    assert (await mapping_of(client, "bod-1"))["status"] == "connected"
    assert (await client.call("POST", path, {"sourceAccountId": "bod-1"})).status == 400


@pytest.mark.parametrize("platform", ["QuickBooks", "Sage"])
async def test_quickbooks_and_sage_are_mapped_inside_their_software(platform: str, open_company: Open) -> None:
    client = await open_company(platform)
    source = {**SOURCE, "currency": client.company["baseCurrency"]}
    await client.call("POST", f"{client.feeds}/connectionInfo/bankFeedAccounts", source)
    assert (
        await client.call("POST", f"{client.feeds}/bankFeedAccounts/mapping", {"sourceAccountId": "x"})
    ).status == 404
    control = f"/_simulator/feeds/{client.company['feedConnectionId']}/bod-1"
    await client.call("POST", control, {"targetAccountId": client.company["savingsAccountId"]})
    await client.advance(10)
    sources = await client.get(f"{client.feeds}/connectionInfo/bankFeedAccounts")
    assert {s["id"]: s["status"] for s in sources}["bod-1"] == "connected"


@pytest.mark.parametrize(
    "change",
    [{"sortCode": None}, {"currency": "EUR"}, {"accountNumber": None}, {"balance": "0"}, {"id": ""}],
)
async def test_a_source_account_that_lacks_something_is_refused(change: Document, open_company: Open) -> None:
    client = await open_company("Xero")
    path = f"{client.connection}/connectionInfo/bankFeedAccounts"
    assert (await client.call("POST", path, {**SOURCE, **change})).status == 400


async def test_a_source_account_that_is_not_connected_takes_no_lines(open_company: Open) -> None:
    client = await open_company("Xero")
    await client.call("POST", f"{client.connection}/connectionInfo/bankFeedAccounts", SOURCE)
    assert problems(await push_lines(client, client.lines("bod-1", "10"))) == ["AccountId"]


async def test_where_there_is_a_feed_a_plain_bank_account_takes_no_lines(open_company: Open) -> None:
    client = await open_company("Xero")
    assert problems(await push_lines(client, client.lines(client.company["lenderAccountId"], "10"))) == ["AccountId"]


async def test_where_there_is_no_feed_a_plain_bank_account_takes_lines(open_company: Open) -> None:
    client = await open_company("Sandbox")
    operation = await push_lines(client, client.lines(client.company["lenderAccountId"], "10"))
    assert operation["status"] == "Success"


async def test_lines_move_the_statement_and_the_source_balance_and_no_ledger_account(open_company: Open) -> None:
    client = await open_company("Xero")
    await push_lines(client, client.lines(client.company["sourceAccountId"], "-1000", "400"))
    books = await client.books()
    assert {account["balance"] for account in books["accounts"]} == {"0.00"}
    assert books["statements"][0]["balance"] == "-600.00"
    assert (await mapping_of(client, client.company["sourceAccountId"]))["sourceBalance"] == Decimal(-600)


async def test_a_line_sent_twice_is_there_twice_and_marked(open_company: Open) -> None:
    client = await open_company("Xero")
    body = client.lines(client.company["sourceAccountId"], "-1000")
    for _ in range(2):
        assert (await push_lines(client, body))["status"] == "Success"
    lines = (await client.books())["statements"][0]["lines"]
    assert [line["duplicateOf"] for line in lines] == [None, 0]


async def test_the_push_operation_of_lines_names_the_first_line(open_company: Open) -> None:
    client = await open_company("Xero")
    operation = await push_lines(client, client.lines(client.company["sourceAccountId"], "-1000", "400"))
    assert [change["recordRef"] for change in operation["changes"]] == [
        {"id": "line-0--1000", "dataType": "bankTransactions"}
    ]


@pytest.mark.parametrize(
    ("platform", "dates", "refused"),
    [
        ("Xero", ["2026-03-01", "2026-02-28"], ["Transactions[1].Date"]),
        ("Xero", ["2026-03-03"], ["Transactions[0].Date"]),
        ("Xero", ["2025-03-01"], ["Transactions[0].Date"]),
        ("QuickBooks", ["2026-02-22"], ["Transactions[0].Date"]),
        ("FreeAgent", ["2026-03-03"], ["Transactions[0].Date"]),
    ],
)
async def test_a_feed_refuses_dates_it_cannot_take(
    platform: str, dates: list[str], refused: list[str], open_company: Open
) -> None:
    client = await open_company(platform)
    assert problems(await push_lines(client, dated(client, *dates))) == refused


@pytest.mark.parametrize(("platform", "status"), [("Sage", "Failed"), ("QuickBooks", "Failed"), ("Xero", "Success")])
async def test_some_feeds_refuse_a_line_older_than_the_newest(platform: str, status: str, open_company: Open) -> None:
    client = await open_company(platform)
    await push_lines(client, dated(client, "2026-03-01"))
    assert (await push_lines(client, dated(client, "2026-02-28")))["status"] == status


@pytest.mark.parametrize(("platform", "status"), [("Xero", "Failed"), ("Sage", "Failed"), ("QuickBooks", "Success")])
async def test_most_feeds_want_the_balance(platform: str, status: str, open_company: Open) -> None:
    client = await open_company(platform)
    body = client.lines(client.company["sourceAccountId"], "10")
    del body["transactions"][0]["balance"]
    assert (await push_lines(client, body))["status"] == status


async def test_the_sign_of_a_xero_line_agrees_with_its_type(open_company: Open) -> None:
    client = await open_company("Xero")
    body = client.lines(client.company["sourceAccountId"], "10")
    body["transactions"][0]["transactionType"] = "Debit"
    assert problems(await push_lines(client, body)) == ["Transactions[0].Amount"]


async def test_a_request_carries_a_thousand_lines_at_most_and_for_the_account_of_its_path(open_company: Open) -> None:
    client = await open_company("Xero")
    account_id = client.company["sourceAccountId"]
    path = f"{client.feeds}/push/bankAccounts/{account_id}/bankTransactions"
    assert (await client.call("POST", path, client.lines(account_id, *["1"] * 1001))).status == 400
    assert (await client.call("POST", path, client.lines("another", "1"))).status == 400
    path = f"{client.feeds}/push/bankAccounts/another/bankTransactions"
    assert (await client.call("POST", path, client.lines("another", "1"))).status == 404


async def test_xero_does_not_let_bank_lines_be_read_and_hides_bank_balances(open_company: Open) -> None:
    client = await open_company("Xero")
    path = f"{client.connection}/data/bankAccounts/{client.company['lenderAccountId']}"
    assert (await client.call("GET", f"{path}/bankTransactions")).status == 404
    assert (await client.get(path))["balance"] is None
