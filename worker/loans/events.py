"""The loan system's events: what each says (contract, section 5). Pure.

The classes are the meaning; :func:`worker.loans.event_text.parse_event` is the only way in from bytes. Amounts are
whole minor units of the event's ``currency``. Each field's annotation also says how it is read, so a class is its own
specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, ClassVar, Final, TypeAlias
from uuid import UUID

from worker.loans import fields

Identifier = Annotated[str, fields.identifier]
Text = Annotated[str, fields.text]
Positive = Annotated[int, fields.positive_amount]
Amount = Annotated[int, fields.amount]
CalendarDate = Annotated[date, fields.calendar_date]
Uuid = Annotated[UUID, fields.uuid]
Metadata = Annotated[tuple[tuple[str, str], ...], fields.metadata]


class InterestRecognition(StrEnum):
    """When the lender books interest: all of it when the money goes out, or as it accrues. Never both."""

    AT_DISBURSEMENT = "at_disbursement"
    ACCRUAL = "accrual"


@dataclass(frozen=True, slots=True)
class Investor:
    """One investor's part of a loan's interest; what the shares leave is the lender's revenue."""

    investor_id: str
    share: Fraction


def read_recognition(value: object, field: str, currency: str) -> InterestRecognition:
    """When the lender books a loan's interest, as the event says."""
    return InterestRecognition(fields.one_of(value, field, tuple(InterestRecognition)))


def read_investors(value: object, field: str, currency: str) -> tuple[Investor, ...]:
    """A loan's investors, as the event says."""
    return tuple(Investor(name, share) for name, share in fields.shares(value, field))


@dataclass(frozen=True, slots=True)
class Loss:
    """What one investor bears of principal that is written off, in minor units."""

    investor_id: str
    amount: int


def read_losses(value: object, field: str, currency: str) -> tuple[Loss, ...]:
    """Who bears what of a write-off, as the event says."""
    return tuple(Loss(name, amount) for name, amount in fields.losses(value, field, currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    type: ClassVar[str]
    timestamp: datetime
    """When the loan system says it happened."""
    currency: str
    """ISO 4217."""
    effective_date: CalendarDate
    """The business day it counts for."""
    metadata: Metadata = ()
    """Texts by key that the lender wants to find again: with the ledger transaction, or the accounts of a new loan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfLoan(_Event):
    loan_id: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalContributed(_Event):
    """An investor put money in."""

    type: ClassVar[str] = "capital.contributed"
    investor_id: Identifier
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalDistributed(_Event):
    """An investor was paid back principal, interest or both."""

    type: ClassVar[str] = "capital.distributed"
    investor_id: Identifier
    principal: Amount
    interest: Amount

    @property
    def total(self) -> int:
        """Minor units paid out."""
        return self.principal + self.interest


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCreated(_OfLoan):
    """A loan exists; no money has moved yet."""

    type: ClassVar[str] = "loan.created"
    borrower_id: Identifier
    company_id: Uuid
    connection_id: Uuid
    interest_recognition: Annotated[InterestRecognition, read_recognition]
    investors: Annotated[tuple[Investor, ...], read_investors] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanDisbursed(_OfLoan):
    """A drawdown: ``fee`` is netted from ``amount``; ``interest`` only for loans that recognise it at disbursement."""

    type: ClassVar[str] = "loan.disbursed"
    drawdown_id: Identifier
    amount: Positive
    interest: Amount = 0
    fee: Amount = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestAccrued(_OfLoan):
    """Interest became due, for loans that accrue it."""

    type: ClassVar[str] = "loan.interest_accrued"
    accrual_id: Identifier
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestRebated(_OfLoan):
    """Interest recognised before is not owed after all: a pay-off came early, or the loan no longer accrues."""

    type: ClassVar[str] = "loan.interest_rebated"
    rebate_id: Identifier
    amount: Positive
    kind: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RebateReversed(_OfLoan):
    """A rebate was taken back: the interest is owed again."""

    type: ClassVar[str] = "loan.rebate_reversed"
    rebate_id: Identifier
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeCharged(_OfLoan):
    """The borrower owes a fee."""

    type: ClassVar[str] = "loan.fee_charged"
    fee_id: Identifier
    amount: Positive
    kind: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeWaived(_OfLoan):
    """The borrower no longer owes a fee charged before."""

    type: ClassVar[str] = "loan.fee_waived"
    fee_id: Identifier
    amount: Positive
    kind: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentInitiated(_OfLoan):
    """A repayment is on its way and may still fail."""

    type: ClassVar[str] = "loan.repayment_initiated"
    repayment_id: Identifier
    principal: Amount
    interest: Amount
    fees: Amount

    @property
    def total(self) -> int:
        """Minor units on their way."""
        return self.principal + self.interest + self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentSettled(_OfLoan):
    """A repayment arrived. The loan system decides the split; an overpayment is owed back to the borrower.

    Of the total, ``unapplied_cash`` had been received before it was known whose it was, and ``processing_cost`` is what
    a processor kept: only the rest is cash that came in now.
    """

    type: ClassVar[str] = "loan.repayment_settled"
    repayment_id: Identifier
    principal: Amount
    interest: Amount
    fees: Amount
    overpayment: Amount = 0
    unapplied_cash: Amount = 0
    processing_cost: Amount = 0

    @property
    def total(self) -> int:
        """Minor units that arrived."""
        return self.principal + self.interest + self.fees + self.overpayment


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentFailed(_OfLoan):
    """An initiated repayment will never arrive."""

    type: ClassVar[str] = "loan.repayment_failed"
    repayment_id: Identifier
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentReversed(_OfLoan):
    """A settled repayment was taken back, a returned payment for example."""

    type: ClassVar[str] = "loan.repayment_reversed"
    repayment_id: Identifier
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRefunded(_OfLoan):
    """An overpayment was paid back to the borrower."""

    type: ClassVar[str] = "loan.refunded"
    refund_id: Identifier
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWrittenOff(_OfLoan):
    """The lender gave up on part of what is owed. An ``amount`` sent without a split is principal.

    ``losses`` says what of the principal investors bear; the rest is the lender's own loss.
    """

    type: ClassVar[str] = "loan.written_off"
    principal: Amount = 0
    interest: Amount = 0
    fees: Amount = 0
    losses: Annotated[tuple[Loss, ...], read_losses] = ()

    @property
    def total(self) -> int:
        """Minor units given up."""
        return self.principal + self.interest + self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRecovered(_OfLoan):
    """Money came in after all for something written off."""

    type: ClassVar[str] = "loan.recovered"
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanClosed(_OfLoan):
    """Nothing is owed any more."""

    type: ClassVar[str] = "loan.closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashReceived(_Event):
    """Money came in, and it is not known yet for which loan."""

    type: ClassVar[str] = "cash.received"
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSwept(_Event):
    """Money was moved from the collections account to the reserve."""

    type: ClassVar[str] = "cash.swept"
    amount: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseIncurred(_Event):
    """The lender paid a cost of its own."""

    type: ClassVar[str] = "expense.incurred"
    amount: Positive
    kind: Identifier


CapitalEvent: TypeAlias = CapitalContributed | CapitalDistributed
OwnEvent: TypeAlias = CashReceived | CashSwept | ExpenseIncurred
"""Events of the lender's own that are about no loan and no investor."""

LoanEvent: TypeAlias = (
    CapitalEvent
    | LoanCreated
    | LoanDisbursed
    | InterestAccrued
    | InterestRebated
    | RebateReversed
    | FeeCharged
    | FeeWaived
    | RepaymentInitiated
    | RepaymentSettled
    | RepaymentFailed
    | RepaymentReversed
    | LoanRefunded
    | LoanWrittenOff
    | LoanRecovered
    | LoanClosed
    | OwnEvent
)

EVENT_TYPES: Final[dict[str, type[LoanEvent]]] = {event.type: event for event in LoanEvent.__args__}
"""Every type of contract section 5 by its name on the wire."""

UNDATED: Final = (LoanCreated, LoanClosed)
"""Types whose business day, when left out, is the day of their timestamp: no money moves with them."""
