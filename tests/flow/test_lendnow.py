"""The story of an investor's ten thousand, lent, repaid in ten instalments and paid back, told as webhooks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.flow.borrower import Borrower
from tests.flow.stack import Stack


@pytest.mark.parametrize("recognition", ["at_disbursement", "accrual"])
async def test_the_loan_and_the_investor_end_at_zero_and_the_spread_is_left(stack: Stack, recognition: str) -> None:
    investor = f"MoneyNow-{recognition}"
    borrower = await Borrower.on(stack)
    await borrower.map()
    before = await borrower.ledger()
    await capital(stack, borrower, "capital.contributed", investor, amount="10000.00")
    await borrower.agree(recognition, [{"investor_id": investor, "share": "0.5"}])
    upfront = {"interest": "500.00"} if recognition == "at_disbursement" else {}
    await borrower.tell("loan.disbursed", "2026-01-10", drawdown_id="D1", amount="10000.00", **upfront)
    for month in range(1, 11):
        day = f"2026-{month:02}-20"
        if recognition == "accrual":
            await borrower.tell("loan.interest_accrued", day, accrual_id=f"M{month}", amount="50.00")
        split = {"principal": "1000.00", "interest": "50.00", "fees": "0", "amount": "1050.00"}
        await borrower.tell("loan.repayment_settled", day, repayment_id=f"R{month}", **split)
    await borrower.tell("loan.closed", "2026-10-20")
    await capital(stack, borrower, "capital.distributed", investor, principal="10000.00", interest="250.00")
    await stack.settled()

    after = await borrower.ledger()

    assert not [name for name in after if borrower.loan_id in name or investor in name]
    for account in ("Cash", "Revenue from Interest"):
        assert after[account] - before.get(account, Decimal(0)) == Decimal("250.00")


async def capital(stack: Stack, borrower: Borrower, event_type: str, investor: str, **amounts: str) -> None:
    """Tell of an investor's money."""
    data = {"currency": borrower.currency, "effective_date": "2026-01-05", "investor_id": investor, **amounts}
    event = {"type": event_type, "timestamp": "2026-01-05T09:00:00Z", "data": data}
    assert await stack.send(f"{event_type}-{investor}".replace(".", "-"), event) == 202
