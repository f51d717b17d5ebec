"""However a loan's webhooks arrive, in any order and more than once, both sets of books end the same."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack

SEEDS = range(6)


def life(borrower: Borrower) -> list[dict[str, Any]]:
    """Two drawdowns, interest, a bounced repayment and its replacement, an overpayment refunded, the end."""

    def repayment(repayment_id: str, principal: str, interest: str = "0", overpayment: str = "0") -> dict[str, str]:
        split = {"principal": principal, "interest": interest, "fees": "0", "overpayment": overpayment}
        return {"repayment_id": repayment_id, **split}

    created = borrower.event(
        "loan.created",
        "2026-08-01",
        borrower_id="BR-1",
        company_id=borrower.company["id"],
        connection_id=borrower.company["connectionId"],
        interest_recognition="accrual",
    )
    initiated = {"repayment_id": "R1", "principal": "400.00", "interest": "20.00", "fees": "0"}
    return [
        created,
        borrower.event("loan.disbursed", "2026-08-03", drawdown_id="D1", amount="700.00", fee="10.00"),
        borrower.event("loan.disbursed", "2026-08-10", drawdown_id="D2", amount="300.00"),
        borrower.event("loan.interest_accrued", "2026-08-31", accrual_id="A1", amount="20.00"),
        borrower.event("loan.repayment_initiated", "2026-09-01", **initiated),
        borrower.event("loan.repayment_settled", "2026-09-03", **repayment("R1", "400.00", "20.00")),
        borrower.event("loan.repayment_reversed", "2026-09-08", repayment_id="R1", reason="returned unpaid"),
        borrower.event("loan.repayment_settled", "2026-09-12", **repayment("R2", "400.00", "20.00")),
        borrower.event("loan.repayment_settled", "2026-10-01", **repayment("R3", "600.00", "0", "5.00")),
        borrower.event("loan.refunded", "2026-10-06", refund_id="X1", amount="5.00"),
        borrower.event("loan.closed", "2026-10-07"),
    ]


async def play(stack: Stack, random: Random | None) -> dict[str, Any]:
    """Tell the life in order, or shuffled and repeated, and return what both books hold, free of this world's ids."""
    borrower = await Borrower.on(stack)
    await borrower.map()
    deliveries = [(f"{borrower.loan_id}-{number}", event) for number, event in enumerate(life(borrower))]
    if random:
        deliveries = [delivery for delivery in deliveries for _ in range(random.randint(1, 3))]
        random.shuffle(deliveries)
    for webhook_id, event in deliveries:
        assert await stack.send(webhook_id, event) in (200, 202)
    await stack.settled()
    held = await stack.fetch(
        "select 1 from event_outcomes where state <> 'applied' and subject_id = $1", borrower.loan_id
    )
    assert held == []
    return {"ledger": await ledger(borrower), "books": await books(borrower)}


async def ledger(borrower: Borrower) -> dict[str, Any]:
    rows = await borrower.stack.fetch(
        "select t.external_id, t.status, t.effective_at::date as day, a.name, e.direction, e.amount"
        " from ledger_transactions t join ledger_entries e on e.transaction_id = t.id"
        " and e.n between t.first_entry and t.last_entry join ledger_accounts a on a.id = e.account_id"
        " where t.metadata->>'loanID' = $1",
        borrower.loan_id,
    )
    entries = Counter(tuple(str(value).replace(borrower.loan_id, "the loan") for value in row.values()) for row in rows)
    return {"entries": entries}


async def books(borrower: Borrower) -> dict[str, Any]:
    after = await borrower.books()

    def moves(data_type: str) -> Counter[Any]:
        names = {
            borrower.lender_account_id: "L",
            borrower.company["borrowerAccountId"]: "B",
            borrower.expense_account_id: "E",
        }
        return Counter(
            tuple(sorted((names[move["accountId"]], move["amount"]) for move in record["moves"]))
            for record in after.records(data_type)
        )

    lines = Counter((line["amount"], line["date"], line["duplicateOf"]) for line in after.lines)
    kinds = ("transfers", "directCosts", "directIncomes")
    return {
        "balances": (after.lender, after.bank, after.expense, after.statement),
        "records": {kind: moves(kind) for kind in kinds},
        "lines": lines,
    }


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_arrival_order_ends_in_the_same_books(stack: Stack, seed: int) -> None:
    in_order = await play(stack, None)
    shuffled = await play(stack, Random(seed))

    assert shuffled == in_order
    assert in_order["books"]["balances"] == (Decimal(0), Decimal("-30.00"), Decimal("30.00"), Decimal(0))
