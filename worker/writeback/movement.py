"""What must happen in the borrower's books because of one loan event. Pure; amounts are minor units of the currency."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, TypeAlias
from uuid import UUID

from worker.errors import Bug


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Money lent: ``amount`` drawn in full, of which ``fee`` was kept back before paying out."""

    drawdown_id: str
    amount: int
    fee: int = 0


@dataclass(frozen=True, slots=True)
class Repayment:
    """Money paid back, split by the loan system; ``overpayment`` is what the borrower paid beyond what was due."""

    repayment_id: str
    principal: int
    interest: int
    fees: int
    overpayment: int = 0

    @property
    def cost(self) -> int:
        """What the loan cost the borrower this time: interest and fees."""
        return self.interest + self.fees

    @property
    def total(self) -> int:
        """Everything that left the borrower's bank account."""
        return self.principal + self.cost + self.overpayment


@dataclass(frozen=True, slots=True)
class RepaymentReversal:
    """A repayment that bounced after it had settled: whatever was written for it is compensated."""

    repayment_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refund:
    """An overpayment handed back to the borrower."""

    refund_id: str
    amount: int


Movement: TypeAlias = Drawdown | Repayment | RepaymentReversal | Refund

STORED_NAMES: Final[dict[type[Movement], str]] = {
    Drawdown: "drawdown",
    Repayment: "repayment",
    RepaymentReversal: "repayment_reversal",
    Refund: "refund",
}


def movement_document(movement: Movement) -> dict[str, Any]:
    """The movement as a JSON object, as sagas store it."""
    return {"type": STORED_NAMES[type(movement)], **asdict(movement)}


def read_movement(document: dict[str, Any]) -> Movement:
    """The inverse of :func:`movement_document`; raises :class:`~worker.errors.Bug` for a type never stored."""
    fields = {name: value for name, value in document.items() if name != "type"}
    for movement_type, name in STORED_NAMES.items():
        if name == document.get("type"):
            return movement_type(**fields)
    raise Bug(f"a saga holds the unknown movement {document.get('type')!r}")


@dataclass(frozen=True, slots=True)
class NewSaga:
    """One movement to be written back, as the loans station hands it over.

    ``message_id`` identifies the inbox message, ``event_id`` is its webhook id; ``ledger_transaction_id`` is the
    lender's ledger transaction of the same event, absent where the event posted none.
    """

    message_id: int
    event_id: str
    loan_id: str
    company_id: UUID
    connection_id: UUID
    currency: str
    effective_date: date
    movement: Movement
    ledger_transaction_id: UUID | None
