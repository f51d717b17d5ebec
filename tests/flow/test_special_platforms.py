"""Through the running service: a tax on every cost, an office computer that is off, a feed that a person joins."""

from __future__ import annotations

from decimal import Decimal

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack, eventually


async def repaid(borrower: Borrower) -> None:
    """£400 of a loan of £1000, a fee of £80 in it."""
    await borrower.agree()
    await borrower.tell("loan.disbursed", drawdown_id="D1", amount="1000.00")
    await borrower.tell("loan.fee_charged", fee_id="F1", amount="80.00", kind="charge")
    split = {"principal": "320.00", "interest": "0", "fees": "80.00", "amount": "400.00"}
    await borrower.tell("loan.repayment_settled", repayment_id="R1", **split)


async def test_a_borrower_on_sage_intacct_is_mapped_with_a_tax_rate_that_every_cost_carries(stack: Stack) -> None:
    borrower = await Borrower.on(stack, "Sage Intacct")
    company = borrower.company
    body = {
        "currency": borrower.currency,
        "lender_account": {"id": company["lenderAccountId"]},
        "borrower_account": {"id": company["borrowerAccountId"]},
        "expense_account": {"id": company["expenseAccountId"]},
        "supplier": {"create": {"name": "Bank of Dave"}},
    }
    status, problem = await stack.call("PUT", borrower.path, body)
    assert (status, problem["errors"][0]["field"]) == (422, "tax_rate_id")
    assert "Sage Intacct wants a tax rate on every direct cost" in problem["detail"]

    mapping = await borrower.map(supplier=body["supplier"])
    assert mapping["requested"]["tax_rate_id"] == company["taxRateId"]
    await repaid(borrower)
    await stack.settled()

    books = await borrower.books()
    (cost,) = books.records("directCosts")
    assert cost["note"] == "Bank of Dave"
    assert cost["lineItems"][0]["taxRateRef"]["id"] == company["taxRateId"]
    assert (books.lender, books.expense, books.statement) == (Decimal("-680"), Decimal("80"), Decimal("-680"))


async def test_a_bank_feed_that_the_borrower_joins_inside_sage_is_used_as_soon_as_they_have(stack: Stack) -> None:
    borrower = await Borrower.on(stack, "Sage Business Cloud Accounting")
    company = borrower.company
    create = {"kind": "source_account", "name": "Bank of Dave loan", "sort_code": "040004"}
    body = {
        "currency": borrower.currency,
        "lender_account": {"create": {**create, "target_account_id": company["savingsAccountId"]}},
        "borrower_account": {"id": company["borrowerAccountId"]},
        "expense_account": {"id": company["expenseAccountId"]},
        "supplier": {"id": company["supplierId"]},
    }
    status, answer = await stack.call("PUT", borrower.path, body)
    assert status == 202, answer
    await repaid(borrower)

    async def shown() -> bool:
        _, mapping = await stack.call("GET", borrower.path)
        assert mapping["state"] == "creating"
        return "the borrower has to choose account" in (mapping["reason"] or "")

    await eventually(shown)
    _, mapping = await stack.call("GET", borrower.path)
    (source,) = [word for word in mapping["reason"].split() if word.startswith("lw-")]
    joined = {"targetAccountId": company["savingsAccountId"]}
    await stack.control(f"feeds/{company['feedConnectionId']}/{source}", joined)
    mapping = await borrower.ready()
    assert (mapping["lender_account_id"], mapping["lender_feed_id"]) == (company["savingsAccountId"], source)
    await stack.settled()

    books = await borrower.books()
    assert [line["amount"] for line in books.lines] == ["-1000.00", "400.00", "-80.00"]
    assert (books.lender, books.expense, books.statement) == (Decimal("-680"), Decimal("80"), Decimal("-680"))


async def test_a_borrower_on_quickbooks_desktop_is_written_to_when_the_office_opens(stack: Stack) -> None:
    borrower = await Borrower.on(stack, "QuickBooks Desktop")
    await borrower.map()
    connector = f"connectors/{borrower.company['connectionId']}"
    await stack.control(connector, {"on": False})
    await repaid(borrower)
    await borrower.tell("loan.repayment_reversed", repayment_id="R1", reason="bounced")

    async def pending() -> bool:
        rows = await stack.fetch(
            "select 1 from steps t join sagas s on s.id = t.saga_id where s.loan_id = $1 and t.state = 'pending'",
            borrower.loan_id,
        )
        return len(rows) == 1

    await eventually(pending)
    assert (await borrower.books()).records("transfers") == []
    await stack.control(connector, {"on": True})
    await stack.settled()

    books = await borrower.books()
    assert books.records("directCosts") == []
    assert len(books.document["records"]["directCosts"]) == 1
    assert (books.lender, books.expense, books.statement) == (Decimal("-1000"), Decimal("0"), Decimal("-1000"))
