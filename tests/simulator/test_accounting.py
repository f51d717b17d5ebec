"""Posting variants of one loan, and what each leaves behind: lender account, borrower's bank, expense, statement."""

from __future__ import annotations

import pytest

from tests.simulator.client import Client, Open

PLATFORMS = ("Xero", "QuickBooks", "Sage", "FreeAgent", "Sandbox")
FEES = ("66.67", "66.67", "66.66")


async def drawdown(client: Client) -> None:
    operation = await client.push(f"{client.connection}/push/transfers", client.transfer("1000.00"))
    assert operation["status"] == "Success", operation


async def repayment(client: Client, transferred: str, cost: str, payer: str) -> None:
    back = client.transfer(transferred, "borrowerAccountId", "lenderAccountId")
    operation = await client.push(f"{client.connection}/push/transfers", back)
    assert operation["status"] == "Success", operation
    operation = await client.push(f"{client.connection}/push/directCosts", client.cost(cost, payer))
    assert operation["status"] == "Success", operation


async def post_lines(client: Client, *amounts: str) -> None:
    account_id = client.company.get("sourceAccountId", client.company["lenderAccountId"])
    connection = client.feeds if "feedConnectionId" in client.company else client.connection
    body = client.lines(account_id, *amounts)
    operation = await client.push(f"{connection}/push/bankAccounts/{account_id}/bankTransactions", body)
    assert operation["status"] == "Success", operation


async def outcome(client: Client) -> tuple[str, str, str, str]:
    """Lender account, borrower's bank, expense and the lender account's statement."""
    statements = (await client.books())["statements"]
    return (
        await client.balance("lenderAccountId"),
        await client.balance("borrowerAccountId"),
        await client.balance("expenseAccountId"),
        statements[0]["balance"] if statements else "none",
    )


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_loan_written_with_two_lines_a_repayment_closes_the_ledger_and_the_statement(
    platform: str, open_company: Open
) -> None:
    client = await open_company(platform)
    await drawdown(client)
    for fee in FEES:
        await repayment(client, "400.00", fee, "lenderAccountId")
    await post_lines(client, "-1000", "400", "-66.67", "400", "-66.67", "400", "-66.66")
    assert await outcome(client) == ("0.00", "-200.00", "200.00", "0.00")


async def test_one_line_a_repayment_leaves_the_statement_apart_from_the_ledger(open_company: Open) -> None:
    client = await open_company("Xero")
    await drawdown(client)
    for fee in FEES:
        await repayment(client, "400.00", fee, "lenderAccountId")
    await post_lines(client, "-1000", "400", "400", "400")
    assert await outcome(client) == ("0.00", "-200.00", "200.00", "200.00")


async def test_transferring_the_principal_and_paying_the_cost_from_the_lender_account_never_closes_it(
    open_company: Open,
) -> None:
    client = await open_company("Sandbox")
    await post_lines(client, "1000")
    await drawdown(client)
    for principal, fee in zip(("333.33", "333.33", "333.34"), FEES, strict=True):
        await repayment(client, principal, fee, "lenderAccountId")
    await post_lines(client, "400", "400", "400")
    assert await outcome(client) == ("-200.00", "0.00", "200.00", "2200.00")


async def test_the_rounded_example_of_2023_leaves_280_on_the_lender_account(open_company: Open) -> None:
    client = await open_company("Sandbox")
    await drawdown(client)
    for _ in range(3):
        await repayment(client, "320.00", "80.00", "lenderAccountId")
    assert await outcome(client) == ("-280.00", "40.00", "240.00", "none")
