"""A loan's life with everything an event can do to a ledger: post, leave pending, settle, fail, correct, reverse."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.treasury.stage import Event

COMPANY = str(UUID(int=1))


def life(loan_id: str, investor_id: str = "MoneyNow") -> list[Event]:
    """A loan from the investor's capital to the distribution; every amount occurs once."""
    number = iter(range(1, 100))

    def event(event_type: str, day: str, **data: Any) -> Event:
        common = {"currency": "USD", "effective_date": day, **data}
        return f"{loan_id}-{next(number)}", {"type": event_type, "timestamp": f"{day}T09:00:00Z", "data": common}

    def of_loan(event_type: str, day: str, **data: Any) -> Event:
        return event(event_type, day, loan_id=loan_id, **data)

    def split(principal: str, interest: str, fees: str = "0", **more: str) -> dict[str, str]:
        return {"principal": principal, "interest": interest, "fees": fees, **more}

    agreement = {"borrower_id": "BR-1", "company_id": COMPANY, "connection_id": COMPANY}
    shares = [{"investor_id": investor_id, "share": "0.5"}]
    return [
        event("capital.contributed", "2026-01-05", investor_id=investor_id, amount="10000.00"),
        of_loan("loan.created", "2026-01-06", **agreement, interest_recognition="at_disbursement", investors=shares),
        of_loan("loan.disbursed", "2026-01-10", drawdown_id="D1", amount="10000.00", interest="500.01", fee="7.00"),
        of_loan("loan.repayment_initiated", "2026-02-01", repayment_id="R1", **split("1000.00", "50.00")),
        of_loan("loan.repayment_settled", "2026-02-03", repayment_id="R1", **split("1000.00", "50.00")),
        of_loan("loan.repayment_initiated", "2026-03-01", repayment_id="R2", **split("1001.00", "51.00")),
        of_loan("loan.repayment_settled", "2026-03-02", repayment_id="R2", **split("1001.00", "49.00")),
        of_loan("loan.repayment_initiated", "2026-04-01", repayment_id="R3", **split("1002.00", "52.00")),
        of_loan("loan.repayment_failed", "2026-04-03", repayment_id="R3", reason="R01 insufficient funds"),
        of_loan("loan.fee_charged", "2026-04-04", fee_id="F1", amount="25.00", kind="returned payment"),
        of_loan("loan.repayment_settled", "2026-05-01", repayment_id="R4", **split("1003.00", "53.00", "25.00")),
        of_loan("loan.repayment_reversed", "2026-05-04", repayment_id="R4", reason="R10 unauthorized"),
        of_loan("loan.repayment_settled", "2026-06-01", repayment_id="R5", **split("1.00", "1.01", overpayment="9.00")),
        of_loan("loan.refunded", "2026-06-02", refund_id="X1", amount="9.00"),
        event("expense.incurred", "2026-06-03", amount="3.00", kind="bank charges"),
        event("capital.distributed", "2026-07-10", investor_id=investor_id, principal="2001.00", interest="100.00"),
        of_loan("loan.repayment_initiated", "2026-08-01", repayment_id="R6", **split("1004.00", "54.00")),
    ]
