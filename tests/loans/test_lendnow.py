"""LendNow's first loan: ten instalments, half of the interest for the investor, and 250.00 left for the lender."""

from __future__ import annotations

import pytest

from tests.loans.events import Delivery, LoanSystem
from tests.loans.station import Station

INTEREST = 500_00


def the_story(recognition: str) -> list[Delivery]:
    lendnow = LoanSystem("Loan 1", "USD", "2020-09-10")
    at_once = recognition == "at_disbursement"
    story = [
        lendnow.tell("capital.contributed", investor_id="MoneyNow", amount=10_000_00),
        lendnow.create(recognition, MoneyNow="0.5"),
        lendnow.tell("loan.disbursed", drawdown_id="D1", amount=10_000_00, interest=INTEREST if at_once else 0),
    ]
    for month in range(1, 11):
        if not at_once:
            story.append(lendnow.tell("loan.interest_accrued", accrual_id=f"A{month}", amount=INTEREST // 10))
        story.append(lendnow.settle(f"R{month}", principal=1_000_00, interest=50_00))
    paid_back = lendnow.tell("capital.distributed", investor_id="MoneyNow", principal=10_000_00, interest=250_00)
    return [*story, paid_back, lendnow.tell("loan.closed")]


@pytest.mark.parametrize("recognition", ["at_disbursement", "accrual"])
async def test_the_lender_is_left_with_its_spread(station: Station, recognition: str) -> None:
    await station.play(*the_story(recognition))

    assert await station.balances() == {"Cash": 250_00, "Revenue from Interest": 250_00}
    assert await station.dead_letters() == []


@pytest.mark.parametrize("recognition", ["at_disbursement", "accrual"])
async def test_the_lender_is_left_with_its_spread_when_told_backwards(station: Station, recognition: str) -> None:
    await station.play(*reversed(the_story(recognition)))

    assert await station.balances() == {"Cash": 250_00, "Revenue from Interest": 250_00}
