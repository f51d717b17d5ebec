"""The demo's story: a lender's capital, a £1000 drawdown, interest month by month, three £400 repayments, the investor
paid back.

The charge of £200 over three instalments is 66.67 + 66.67 + 66.66, and the principal 333.33 + 333.33 + 333.34: a
pound has no thirds, so the last instalment takes the difference. The worker checks such sums; it never invents them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

LOAN_ID: Final = "LN-1001"
INVESTOR_ID: Final = "INV-7"
INSTALMENTS: Final = (("333.33", "66.67"), ("333.33", "66.67"), ("333.34", "66.66"))
"""Principal and interest of each £400 repayment."""
INVESTOR_SHARE: Final = "0.5"
INVESTOR_INTEREST: Final = "100.01"
"""Half of each month's interest, rounded half-even: 33.34 + 33.34 + 33.33."""
DAYS_PER_INSTALMENT: Final = 30


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One webhook of the story: its identity, what a viewer reads, and its body."""

    webhook_id: str
    caption: str
    body: dict[str, Any]


def story(company_id: UUID, connection_id: UUID, last_day: date) -> list[StoryEvent]:
    """The story's webhooks in the order a loan system sends them, ending on ``last_day``."""
    start = last_day - timedelta(days=DAYS_PER_INSTALMENT * len(INSTALMENTS))
    loan = {"loan_id": LOAN_ID}
    events = [
        _event("capital.contributed", "investor puts in 1000.00", start, investor_id=INVESTOR_ID, amount="1000.00"),
        _event(
            "loan.created",
            "loan agreed, investor takes half the interest",
            start,
            **loan,
            borrower_id="BR-42",
            company_id=str(company_id),
            connection_id=str(connection_id),
            interest_recognition="accrual",
            investors=[{"investor_id": INVESTOR_ID, "share": INVESTOR_SHARE}],
        ),
        _event("loan.disbursed", "drawdown of 1000.00", start, **loan, drawdown_id="D1", amount="1000.00"),
    ]
    for number, (principal, interest) in enumerate(INSTALMENTS, 1):
        day = start + timedelta(days=DAYS_PER_INSTALMENT * number)
        accrual = {"accrual_id": f"A{number}", "amount": interest}
        split = {"principal": principal, "interest": interest, "fees": "0.00", "amount": "400.00"}
        events += [
            _event("loan.interest_accrued", f"interest of {interest}", day, **loan, **accrual),
            _event(
                "loan.repayment_settled",
                f"repayment of 400.00 ({principal} principal, {interest} interest)",
                day,
                **loan,
                repayment_id=f"R{number}",
                **split,
            ),
        ]
    paid = {"investor_id": INVESTOR_ID, "principal": "1000.00", "interest": INVESTOR_INTEREST}
    return [
        *events,
        _event("loan.closed", "loan closed", last_day, **loan),
        _event("capital.distributed", f"investor paid 1000.00 + {INVESTOR_INTEREST}", last_day, **paid),
    ]


def _event(event_type: str, caption: str, day: date, **data: Any) -> StoryEvent:
    own = next((data[key] for key in ("repayment_id", "accrual_id", "drawdown_id") if key in data), "")
    body = {
        "type": event_type,
        "timestamp": f"{day.isoformat()}T09:00:00Z",
        "data": {"currency": "GBP", "effective_date": day.isoformat(), **data},
    }
    return StoryEvent(f"demo_{event_type}_{own}".rstrip("_").replace(".", "_"), caption, body)
