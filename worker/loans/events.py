"""The loan system's events: what each says, and how its bytes become it (contract, section 5).

The classes are the meaning; ``parse_event`` is the only way in from bytes. Amounts are whole minor units of the
event's ``currency``. Each field's annotation also says how it is read, so a class is its own specification.
Fields this program does not know stay in the stored body and are ignored here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeAlias, get_type_hints
from uuid import UUID

from worker.errors import Rejected
from worker.loans import fields
from worker.money import MAX_MINOR_DIGITS
from worker.strict_json import decode_object

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
    """A repayment arrived. The loan system decides the split; an overpayment is owed back to the borrower."""

    type: ClassVar[str] = "loan.repayment_settled"
    repayment_id: Identifier
    principal: Amount
    interest: Amount
    fees: Amount
    overpayment: Amount = 0

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
    """The lender gave up on part of what is owed. An ``amount`` sent without a split is principal."""

    type: ClassVar[str] = "loan.written_off"
    principal: Amount = 0
    interest: Amount = 0
    fees: Amount = 0

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
class ExpenseIncurred(_Event):
    """The lender paid a cost of its own."""

    type: ClassVar[str] = "expense.incurred"
    amount: Positive
    kind: Identifier


CapitalEvent: TypeAlias = CapitalContributed | CapitalDistributed
LoanEvent: TypeAlias = (
    CapitalEvent
    | LoanCreated
    | LoanDisbursed
    | InterestAccrued
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
    | ExpenseIncurred
)

EVENT_TYPES: Final[dict[str, type[LoanEvent]]] = {event.type: event for event in LoanEvent.__args__}
"""Every type of contract section 5 by its name on the wire."""

UNDATED: Final = (LoanCreated, LoanClosed)
"""Types whose business day, when left out, is the day of their timestamp: no money moves with them."""


def parse_event(body: bytes) -> LoanEvent:
    """The event a webhook's body tells.

    Raises :class:`~worker.errors.Rejected` naming the field as a dotted path: 400 for what is malformed, 422 for what
    is well-formed and can never be right.
    """
    document = decode_object(body)
    kind = fields.identifier(fields.required(document, "type"), "type")
    event_type = EVENT_TYPES.get(kind)
    if event_type is None:
        known = ", ".join(EVENT_TYPES)
        raise Rejected(422, f"is none of the known types: {known}", field="type", code="unknown_event_type")
    timestamp = fields.timestamp(fields.required(document, "timestamp"), "timestamp")
    data = fields.required(document, "data")
    if not isinstance(data, dict):
        raise fields.wrong("data", "must be an object")
    event = event_type(**_read(event_type, timestamp, data))
    _check(event, data)
    return event


class EventField(NamedTuple):
    """A member of an event's ``data``: its dotted path, what reads it, and whether it may be left out."""

    name: str
    path: str
    read: Callable[[object, str, str], object]
    optional: bool


@cache
def fields_of(kind: str) -> tuple[EventField, ...]:
    """The fields of ``data`` as the type's class declares them: every one whose annotation carries its reader."""
    event_type = EVENT_TYPES[kind]
    hints = get_type_hints(event_type, include_extras=True)
    return tuple(
        EventField(f.name, f"data.{f.name}", hints[f.name].__metadata__[0], f.default is not dataclasses.MISSING)
        for f in dataclasses.fields(event_type)
        if hasattr(hints[f.name], "__metadata__")
    )


def _read(event_type: type[LoanEvent], timestamp: datetime, data: dict[str, object]) -> dict[str, Any]:
    currency = fields.currency_code(fields.required(data, "currency", "data"), "data.currency")
    values: dict[str, Any] = {"timestamp": timestamp, "currency": currency}
    if event_type is LoanWrittenOff and data.keys().isdisjoint(("principal", "interest", "fees")):
        data = {**data, "principal": fields.required(data, "amount", "data")}
    elif event_type in UNDATED and data.get("effective_date") is None:
        data = {**data, "effective_date": timestamp.date().isoformat()}
    for name, path, read, optional in fields_of(event_type.type):
        value = data.get(name)
        if value is not None:
            values[name] = read(value, path, currency)
        elif not optional:
            fields.required(data, name, "data")
    return values


def _check(event: LoanEvent, data: dict[str, object]) -> None:
    """What no single field can tell: the sums the loan system sent must agree with each other."""
    match event:
        case RepaymentSettled() | LoanWrittenOff():
            _check_total(event.total, "data.amount")
            stated = data.get("amount")
            if stated is not None and fields.amount(stated, "data.amount", event.currency) != event.total:
                raise fields.impossible("data.amount", "is not the sum of its parts")
        case RepaymentInitiated() | CapitalDistributed():
            _check_total(event.total, "data.principal")
        case LoanDisbursed() if event.fee > event.amount:
            raise fields.impossible("data.fee", "is more than the amount it is netted from")
        case _:
            pass


def _check_total(total: int, field: str) -> None:
    if total == 0:
        raise fields.impossible(field, "the parts sum to zero: nothing happened")
    if total >= 10**MAX_MINOR_DIGITS:
        raise fields.impossible(field, f"the parts sum to more than {MAX_MINOR_DIGITS} digits of minor units")
