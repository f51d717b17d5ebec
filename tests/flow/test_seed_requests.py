"""The 2023 guide's example, request by request: £1000 drawn, then £320 of principal and £80 of fees in one £400."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack


async def test_the_guides_example_produces_the_guides_requests(stack: Stack) -> None:
    borrower = await Borrower.on(stack, "Sandbox")
    await borrower.map("codat-2023")
    await borrower.agree()
    await borrower.tell("loan.disbursed", "2026-10-05", drawdown_id="D1", amount="1000.00")
    await borrower.tell("loan.fee_charged", "2026-11-05", fee_id="F1", amount="80.00", kind="charge")
    split = {"principal": "320.00", "interest": "0", "fees": "80.00", "amount": "400.00"}
    await borrower.tell("loan.repayment_settled", "2026-11-05", repayment_id="R1", **split)
    await stack.settled()

    requests = await pushes(borrower)

    lender, bank = borrower.lender_account_id, borrower.company["borrowerAccountId"]
    assert [path for path, _ in requests] == [
        f"bankAccounts/{lender}/bankTransactions",
        "transfers",
        f"bankAccounts/{lender}/bankTransactions",
        "transfers",
        "directCosts",
    ]
    deposit, drawdown, repaid, transfer, cost = (body for _, body in requests)
    assert statement_line(deposit) == (lender, Decimal("1000.00"), "2026-10-05")
    assert drawdown == transfer_of(lender, bank, "1000.00", "2026-10-05")
    assert statement_line(repaid) == (lender, Decimal("400.00"), "2026-11-05")
    assert transfer == transfer_of(bank, lender, "320.00", "2026-11-05")
    assert cost == direct_cost_of(borrower, "80.00", "2026-11-05")


async def pushes(borrower: Borrower) -> list[tuple[str, dict[str, Any]]]:
    """The writes of this borrower as they arrived at Codat: what was pushed, and its body without loss."""
    journal = await borrower.stack.look("requests")
    prefix = f"/companies/{borrower.company['id']}/connections/{borrower.company['connectionId']}/push/"
    return [
        (one["path"].removeprefix(prefix), json.loads(one["body"], parse_float=Decimal))
        for one in journal["requests"]
        if one["method"] == "POST" and one["path"].startswith(prefix)
    ]


def statement_line(body: dict[str, Any]) -> tuple[str, Decimal, str]:
    """A bank transaction's account, amount and day; it has the guide's fields and no other."""
    assert set(body) == {"accountId", "transactions"}
    [line] = body["transactions"]
    assert set(line) == {"id", "amount", "date", "description"}
    return body["accountId"], Decimal(line["amount"]), line["date"][:10]


def transfer_of(source: str, target: str, amount: str, day: str) -> dict[str, Any]:
    """The guide's transfer, with ``amount`` where its text has ``account`` by mistake."""

    def side(account_id: str) -> dict[str, Any]:
        return {"accountRef": {"id": account_id}, "amount": Decimal(amount), "currency": "GBP"}

    return {"date": f"{day}T00:00:00Z", "from": side(source), "to": side(target)}


def direct_cost_of(borrower: Borrower, amount: str, day: str) -> dict[str, Any]:
    """The guide's direct cost, with the ``subTotal`` the schema requires."""
    value, none = Decimal(amount), Decimal(0)
    return {
        "issueDate": f"{day}T00:00:00Z",
        "currency": "GBP",
        "subTotal": value,
        "taxAmount": none,
        "totalAmount": value,
        "contactRef": {"id": borrower.supplier_id, "dataType": "suppliers"},
        "paymentAllocations": [
            {
                "payment": {"accountRef": {"id": borrower.lender_account_id}},
                "allocation": {"totalAmount": value},
            }
        ],
        "lineItems": [
            {
                "description": "Fees and/or interest",
                "quantity": 1,
                "unitAmount": value,
                "taxAmount": none,
                "accountRef": {"id": borrower.expense_account_id},
            }
        ],
    }
