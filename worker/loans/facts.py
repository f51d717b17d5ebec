"""Events as facts: which fact an event tells, and whether it tells one that is known already. Pure."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Final, assert_never

from worker.loans.decision import Duplicate, Refuse
from worker.loans.events import (
    FeeCharged,
    FeeWaived,
    InterestAccrued,
    InterestRebated,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanRecovered,
    LoanRefunded,
    LoanWrittenOff,
    RebateReversed,
    RepaymentFailed,
    RepaymentInitiated,
    RepaymentReversed,
    RepaymentSettled,
)
from worker.loans.loan import NOTHING, Amounts, Fact, FactKey, FactKind, FactState, Loan, Tender
from worker.money import Money

_TellsReversible = (
    RepaymentInitiated | RepaymentSettled | RepaymentFailed | RepaymentReversed | InterestRebated | RebateReversed
)

TellsFact = (
    LoanDisbursed
    | InterestAccrued
    | FeeCharged
    | FeeWaived
    | LoanRefunded
    | LoanWrittenOff
    | LoanRecovered
    | _TellsReversible
)
"""Events of a loan that tell a fact."""

AboutLoan = LoanCreated | TellsFact | LoanClosed
"""Events of one loan."""

_AMOUNT_FIELDS: Final[dict[FactKind, dict[str, str]]] = {
    FactKind.DRAWDOWN: {"principal": "amount", "interest": "interest", "fees": "fee"},
    FactKind.ACCRUAL: {"interest": "amount"},
    FactKind.REBATE: {"interest": "amount"},
    FactKind.FEE: {"fees": "amount"},
    FactKind.WAIVER: {"fees": "amount"},
    FactKind.REPAYMENT: {p: p for p in ("principal", "interest", "fees", "overpayment")},
    FactKind.REFUND: {"overpayment": "amount"},
    FactKind.WRITE_OFF: {p: p for p in ("principal", "interest", "fees")},
    FactKind.RECOVERY: {"principal": "amount"},
}
"""Which field of an event's data each kept amount came from, to name the one that contradicts."""


def fact_of(event: TellsFact, event_id: str) -> Fact:
    """The fact an event tells, as it stands once the event has taken effect.

    Write-offs and recoveries have no id of their own: the webhook's ``event_id`` is theirs. Failures and reversals
    tell no amounts.
    """
    match event:
        case LoanDisbursed():
            amounts = Amounts(event.amount, event.interest, event.fee)
            return _fact(FactKind.DRAWDOWN, event.drawdown_id, amounts)
        case InterestAccrued():
            return _fact(FactKind.ACCRUAL, event.accrual_id, Amounts(interest=event.amount))
        case FeeCharged():
            return _fact(FactKind.FEE, event.fee_id, Amounts(fees=event.amount))
        case FeeWaived():
            return _fact(FactKind.WAIVER, event.fee_id, Amounts(fees=event.amount))
        case LoanRefunded():
            return _fact(FactKind.REFUND, event.refund_id, Amounts(overpayment=event.amount))
        case LoanWrittenOff():
            return _fact(FactKind.WRITE_OFF, event_id, Amounts(event.principal, event.interest, event.fees))
        case LoanRecovered():
            return _fact(FactKind.RECOVERY, event_id, Amounts(principal=event.amount))
        case _:
            return _reversible_fact(event)


def _reversible_fact(event: _TellsReversible) -> Fact:
    match event:
        case RepaymentInitiated():
            amounts = Amounts(event.principal, event.interest, event.fees)
            return _fact(FactKind.REPAYMENT, event.repayment_id, amounts, FactState.PENDING)
        case RepaymentSettled():
            amounts = Amounts(event.principal, event.interest, event.fees, event.overpayment)
            settled = _fact(FactKind.REPAYMENT, event.repayment_id, amounts, FactState.SETTLED)
            return replace(settled, tender=Tender(event.unapplied_cash, event.processing_cost))
        case RepaymentFailed():
            return _fact(FactKind.REPAYMENT, event.repayment_id, NOTHING, FactState.FAILED)
        case RepaymentReversed():
            return _fact(FactKind.REPAYMENT, event.repayment_id, NOTHING, FactState.REVERSED)
        case InterestRebated():
            return _fact(FactKind.REBATE, event.rebate_id, Amounts(interest=event.amount), FactState.SETTLED)
        case RebateReversed():
            return _fact(FactKind.REBATE, event.rebate_id, NOTHING, FactState.REVERSED)
        case _:
            assert_never(event)


def keys_of(event: AboutLoan, event_id: str) -> tuple[FactKey, ...]:
    """Keys of the facts that must be known before the event can be decided."""
    if isinstance(event, LoanCreated | LoanClosed):
        return ()
    key = fact_of(event, event_id).key
    return (key, fee_of(key)) if key.kind is FactKind.WAIVER else (key,)


def fee_of(waiver: FactKey) -> FactKey:
    """The fee that a waiver waives."""
    return FactKey(FactKind.FEE, waiver.fact_id)


def told_before(loan: Loan, known: Fact, told: Fact) -> Duplicate | Refuse:
    """A fact told again: a duplicate when its amounts are those known, a contradiction otherwise."""
    what = describe(told.key)
    was, now = _told_amounts(known), _told_amounts(told)
    for field in was:
        if was[field] != now[field]:
            before, after = (Money(amounts[field], loan.currency) for amounts in (was, now))
            return Refuse(f"data.{field}", f"{what} was already told with {field} {before}, now with {after}")
    return Duplicate(f"{what} was already told with the same amounts")


def _told_amounts(fact: Fact) -> dict[str, int]:
    """Minor units by the field of the event's data that told them."""
    amounts = {field: getattr(fact.amounts, part) for part, field in _AMOUNT_FIELDS[fact.key.kind].items()}
    return amounts | (asdict(fact.tender) if fact.key.kind is FactKind.REPAYMENT else {})


def describe(key: FactKey) -> str:
    """A fact as a sentence names it."""
    match key.kind:
        case FactKind.WAIVER:
            return f"the waiver of fee {key.fact_id}"
        case FactKind.WRITE_OFF:
            return f"write-off {key.fact_id}"
        case _:
            return f"{key.kind.value} {key.fact_id}"


def _fact(kind: FactKind, fact_id: str, amounts: Amounts, state: FactState = FactState.RECORDED) -> Fact:
    return Fact(FactKey(kind, fact_id), state, amounts)
