"""Loan events as a lender's system sends them: raw bodies, with everything a test does not care about filled in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from worker.loans.batch import Incoming
from worker.loans.event_text import parse_event
from worker.money import format_major

COMPANY = UUID("0190a1b2-0000-7000-8000-0000000000c0")
CONNECTION = UUID("0190a1b2-0000-7000-8000-0000000000c1")
CAPITAL_FIELDS = {"capital.contributed", "capital.distributed", "cash.received", "cash.swept", "expense.incurred"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook: its id and its raw body."""

    webhook_id: str
    body: bytes

    def incoming(self, message_id: int) -> Incoming:
        return Incoming(message_id, self.webhook_id, parse_event(self.body))


@dataclass(slots=True)
class LoanSystem:
    """Writes a lender's events about one loan; amounts are minor units and become the major units of the wire."""

    loan_id: str = "L1"
    currency: str = "GBP"
    day: str = "2026-03-02"
    sent: int = 0

    def tell(self, event_type: str, **data: object) -> Delivery:
        self.sent += 1
        about: dict[str, object] = {"currency": self.currency, "effective_date": self.day}
        if event_type not in CAPITAL_FIELDS:
            about["loan_id"] = self.loan_id
        written = {name: self._written(value) for name, value in data.items()}
        document = {"type": event_type, "timestamp": "2026-03-02T09:30:00Z", "data": about | written}
        return Delivery(f"msg_{self.loan_id}_{self.sent}", json.dumps(document).encode())

    def create(self, interest_recognition: str = "accrual", **shares: str) -> Delivery:
        return self.tell(
            "loan.created",
            borrower_id="B1",
            company_id=str(COMPANY),
            connection_id=str(CONNECTION),
            interest_recognition=interest_recognition,
            investors=[{"investor_id": name, "share": share} for name, share in shares.items()],
        )

    def settle(
        self, repayment_id: str, principal: int = 0, interest: int = 0, fees: int = 0, over: int = 0, **tender: int
    ) -> Delivery:
        split = {"principal": principal, "interest": interest, "fees": fees, "overpayment": over}
        return self.tell("loan.repayment_settled", repayment_id=repayment_id, **split, **tender)

    def initiate(self, repayment_id: str, principal: int = 0, interest: int = 0, fees: int = 0) -> Delivery:
        split = {"principal": principal, "interest": interest, "fees": fees}
        return self.tell("loan.repayment_initiated", repayment_id=repayment_id, **split)

    def fail(self, repayment_id: str) -> Delivery:
        return self.tell("loan.repayment_failed", repayment_id=repayment_id, reason="R01")

    def reverse(self, repayment_id: str) -> Delivery:
        return self.tell("loan.repayment_reversed", repayment_id=repayment_id, reason="R02")

    def rebate(self, rebate_id: str, amount: int) -> Delivery:
        return self.tell("loan.interest_rebated", rebate_id=rebate_id, amount=amount, kind="early pay-off")

    def reverse_rebate(self, rebate_id: str) -> Delivery:
        return self.tell("loan.rebate_reversed", rebate_id=rebate_id, reason="bounced")

    def lose(self, losses: dict[str, int], **split: int) -> Delivery:
        borne = [{"investor_id": name, "amount": self._written(amount)} for name, amount in losses.items()]
        return self.tell("loan.written_off", losses=borne, **split)

    def _written(self, value: object) -> object:
        if isinstance(value, int):
            return str(Decimal(format_major(value, self.currency)))
        return value
