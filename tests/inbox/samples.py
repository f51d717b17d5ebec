"""One valid body of every loan event type (contract section 5), to be sent as it is or spoilt."""

from __future__ import annotations

import json
from typing import Any

COMPANY = "8a210b68-6988-11ed-a1eb-0242ac120002"
CONNECTION = "2e9d2c44-f675-40ba-8049-353bfcb5e171"

DATA: dict[str, dict[str, Any]] = {
    "capital.contributed": {"investor_id": "LP-1", "amount": "10000.00"},
    "capital.distributed": {"investor_id": "LP-1", "principal": "1000.00", "interest": "25.50"},
    "loan.created": {
        "loan_id": "L-1",
        "borrower_id": "B-1",
        "company_id": COMPANY,
        "connection_id": CONNECTION,
        "interest_recognition": "at_disbursement",
        "investors": [{"investor_id": "LP-1", "share": "0.6"}, {"investor_id": "LP-2", "share": 0.15}],
    },
    "loan.disbursed": {"loan_id": "L-1", "drawdown_id": "D-1", "amount": 1000.00, "interest": "200.00", "fee": "10"},
    "loan.interest_accrued": {"loan_id": "L-1", "accrual_id": "A-1", "amount": "20.00"},
    "loan.interest_rebated": {"loan_id": "L-1", "rebate_id": "B-1", "amount": "10.00", "kind": "early pay-off"},
    "loan.rebate_reversed": {"loan_id": "L-1", "rebate_id": "B-1", "reason": "the pay-off bounced"},
    "loan.fee_charged": {"loan_id": "L-1", "fee_id": "F-1", "amount": "5.00", "kind": "late payment"},
    "loan.fee_waived": {"loan_id": "L-1", "fee_id": "F-1", "amount": "5.00", "kind": "late payment"},
    "loan.repayment_initiated": {
        "loan_id": "L-1", "repayment_id": "R-1", "principal": "333.33", "interest": "66.67", "fees": "0",
    },
    "loan.repayment_settled": {
        "loan_id": "L-1", "repayment_id": "R-1", "principal": "333.33", "interest": "66.67", "fees": 0,
        "overpayment": "1.00", "unapplied_cash": "100.00", "processing_cost": "4.01", "amount": "401.00",
    },
    "loan.repayment_failed": {"loan_id": "L-1", "repayment_id": "R-1", "reason": "R01 insufficient funds"},
    "loan.repayment_reversed": {"loan_id": "L-1", "repayment_id": "R-1", "reason": "R10 – not authorised"},
    "loan.refunded": {"loan_id": "L-1", "refund_id": "RF-1", "amount": "1.00"},
    "loan.written_off": {
        "loan_id": "L-1", "principal": "100.00", "interest": "10.00", "fees": "1.00",
        "losses": [{"investor_id": "LP-1", "amount": "60.00"}, {"investor_id": "LP-2", "amount": 15}],
    },
    "loan.recovered": {"loan_id": "L-1", "amount": "50.00"},
    "loan.closed": {"loan_id": "L-1"},
    "cash.received": {"amount": "401.00"},
    "cash.swept": {"amount": "5000.00"},
    "expense.incurred": {"amount": "12.34", "kind": "bank charges"},
}  # fmt: skip


def document(event_type: str, **changes: Any) -> dict[str, Any]:
    """A valid event as the sender has it; each change replaces a field of ``data``, ``...`` removes it."""
    data = {"currency": "GBP", "effective_date": "2026-01-31", **DATA[event_type], **changes}
    data = {name: value for name, value in data.items() if value is not ...}
    return {"type": event_type, "timestamp": "2026-01-31T09:30:00Z", "data": data}


def event(event_type: str, **changes: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(document(event_type, **changes)).encode()
