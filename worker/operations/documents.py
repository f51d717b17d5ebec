"""What is shown as JSON documents: times as RFC 3339, amounts as exact major-unit text. Pure.

These are what ``/v1`` answers and what the commands print with ``--output json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias, assert_never
from uuid import UUID

from worker.loans.fields import MAX_SHARE_CHARACTERS
from worker.loans.loan import Amounts, Loan
from worker.money import format_major
from worker.operations.shapes import (
    DeadLetterObject,
    Item,
    JobAttemptObject,
    JobObject,
    Listed,
    LoanObject,
    LoanStatus,
    MovementObject,
    RecordedEvent,
    RefusalObject,
    SagaObject,
    Split,
    StepAttemptObject,
    StepObject,
)
from worker.operations.views import DeadLetter, Event, Job, JobAttempt, Saga, Step, StepAttempt
from worker.writeback.classify import Refusal
from worker.writeback.movement import Drawdown, Movement, Refund, Repayment, RepaymentReversal
from worker.writeback.plan import movement_name

Document: TypeAlias = Mapping[str, Any]
"""Any of them, to those who only print it."""

_SHARE: Final = Context(prec=MAX_SHARE_CHARACTERS)
"""Arithmetic that holds the longest share exactly."""


def page_document(items: Sequence[Item], following: int | str | None) -> Listed[Item]:
    """One page of a list; ``next`` is the ``after`` of the page that follows, null on the last."""
    return {"data": list(items), "next": None if following is None else str(following)}


def event_document(event: Event) -> RecordedEvent:
    """A loan event and what became of it; its own page adds the body exactly as it was signed."""
    return {
        "webhook_id": event.webhook_id,
        "type": event.type,
        "loan_id": event.loan_id,
        "received_at": event.received_at.isoformat(),
        "state": event.state,
        "reason": event.reason,
        "field": event.field,
        "needs": list(event.needs),
        "held_since": _moment(event.held_since),
        "decided_at": _moment(event.decided_at),
        "ledger_transaction_id": _id(event.ledger_transaction_id),
        "saga_id": event.saga_id,
        "dead_letter_id": event.dead_letter_id,
        "corrects": event.corrects,
        "corrected_by": event.corrected_by,
    }


def loan_document(loan: Loan) -> LoanObject:
    """A loan's terms, totals and what is outstanding."""

    def money(minor: int) -> str:
        return format_major(minor, loan.currency)

    def split(amounts: Amounts) -> Split:
        return {
            "principal": money(amounts.principal),
            "interest": money(amounts.interest),
            "fees": money(amounts.fees),
            "overpayment": money(amounts.overpayment),
        }

    return {
        "loan_id": loan.loan_id,
        "borrower_id": loan.borrower_id,
        "company_id": str(loan.company_id),
        "connection_id": str(loan.connection_id),
        "currency": loan.currency,
        "interest_recognition": loan.interest_recognition,
        "investors": [{"investor_id": one.investor_id, "share": _decimal(one.share)} for one in loan.investors],
        "status": loan_status(loan),
        "closed_on": _day(loan.closed_on),
        "outstanding": split(loan.outstanding),
        "totals": {
            "disbursed": money(loan.disbursed),
            "interest_recognised": money(loan.interest_recognised),
            "interest_rebated": money(loan.interest_rebated),
            "fees_charged": money(loan.fees_charged),
            "fees_waived": money(loan.fees_waived),
            "repaid": split(loan.repaid),
            "reversed": split(loan.reversed_repayments),
            "refunded": money(loan.refunded),
            "written_off": split(loan.written_off),
            "recovered": money(loan.recovered),
        },
        "pending_repayments": loan.pending_repayments,
    }


def loan_status(loan: Loan) -> LoanStatus:
    """Where a loan stands."""
    if loan.closed:
        return "closed"
    if not loan.settled_up:
        return "active"
    return "settled" if loan.disbursed else "agreed"


def saga_document(saga: Saga) -> SagaObject:
    """A saga without its steps."""
    return {
        "saga_id": saga.id,
        "kind": saga.kind,
        "summary": _summary(saga),
        "event_id": saga.event_id,
        "loan_id": saga.loan_id,
        "state": saga.state,
        "waiting_for": saga.waiting_for,
        "reason": saga.reason,
        "steps_succeeded": saga.steps_succeeded,
        "steps_total": saga.steps_total,
        "company_id": str(saga.company_id),
        "connection_id": str(saga.connection_id),
        "currency": saga.currency,
        "effective_date": saga.effective_date.isoformat(),
        "movement": _movement_document(saga.movement, saga.currency) if saga.movement else None,
        "mapping_version": saga.mapping_version,
        "ledger_transaction_id": _id(saga.ledger_transaction_id),
        "created_at": saga.created_at.isoformat(),
        "changed_at": saga.changed_at.isoformat(),
        "finished_at": _moment(saga.finished_at),
    }


def step_document(step: Step, attempts: Sequence[StepAttempt]) -> StepObject:
    """A step with its history; its amount is its effect on the lender's account."""
    return {
        "step_id": step.id,
        "n": step.n,
        "kind": step.kind,
        "purpose": step.purpose,
        "state": step.state,
        "reference": step.reference,
        "amount": format_major(step.amount, step.currency),
        "currency": step.currency,
        "date": _day(step.date),
        "mapping_version": step.mapping_version,
        "compensates": step.compensates,
        "key_generation": step.key_generation,
        "idempotency_key": _id(step.idempotency_key),
        "first_sent_at": _moment(step.first_sent_at),
        "push_operation_key": _id(step.push_operation_key),
        "record_id": step.record_id,
        "refusal": _refusal_document(step.refusal) if step.refusal else None,
        "unknown_since": _moment(step.unknown_since),
        "unknown_cause": step.unknown_cause,
        "attempts": [_step_attempt_document(attempt) for attempt in attempts],
    }


def job_document(job: Job) -> JobObject:
    """An unfinished job."""
    return {
        "job_id": job.id,
        "event_id": job.about.event_id,
        "saga_id": job.about.saga_id,
        "loan_id": job.about.loan_id,
        "kind": job.kind,
        "state": job.state,
        "attempt": job.attempt,
        "run_at": _moment(job.run_at),
        "created_at": job.created_at.isoformat(),
        "reason": job.reason,
        "blocked_by": job.blocked_by,
        "worker": job.worker,
    }


def dead_letter_document(letter: DeadLetter) -> DeadLetterObject:
    """A dead letter."""
    return {
        "dead_letter_id": letter.id,
        "event_id": letter.about.event_id,
        "saga_id": letter.about.saga_id,
        "loan_id": letter.about.loan_id,
        "job_id": letter.job_id,
        "kind": letter.kind,
        "attempt": letter.attempt,
        "created_at": letter.created_at.isoformat(),
        "reason_class": letter.reason_class,
        "reason": letter.reason,
        "buried_at": letter.buried_at.isoformat(),
        "replayed_at": _moment(letter.replayed_at),
        "replayed_job_id": letter.replayed_job_id,
    }


def job_attempt_document(attempt: JobAttempt) -> JobAttemptObject:
    """One attempt of a job that did not succeed."""
    return {
        "job_id": attempt.job_id,
        "attempt": attempt.attempt,
        "at": attempt.at.isoformat(),
        "outcome": attempt.outcome,
        "error": attempt.error,
    }


def _step_attempt_document(attempt: StepAttempt) -> StepAttemptObject:
    return {
        "at": attempt.at.isoformat(),
        "key_generation": attempt.key_generation,
        "action": attempt.action,
        "outcome": attempt.outcome,
        "detail": attempt.detail,
    }


def _refusal_document(refusal: Refusal) -> RefusalObject:
    return {"responsible": refusal.responsible, "words": refusal.words, "field": refusal.field}


def _decimal(share: Fraction) -> str:
    """A share as the loan system wrote it: a decimal."""
    return f"{_SHARE.normalize(_SHARE.divide(Decimal(share.numerator), Decimal(share.denominator))):f}"


def _summary(saga: Saga) -> str:
    """What the saga is about, in a bookkeeper's words."""
    if saga.movement is None:
        return f"accounts of mapping version {saga.mapping_version}"
    return f"{movement_name(saga.movement)}{_figures(saga.movement, saga.currency)}"


def _figures(movement: Movement, currency: str) -> str:
    match movement:
        case Drawdown(amount=amount, fee=fee):
            kept = f", {format_major(fee, currency)} kept back as a fee" if fee else ""
            return f" of {format_major(amount, currency)} {currency}{kept}"
        case Repayment():
            named = ("principal", "interest", "fees", "overpayment")
            parts = ((name, getattr(movement, name)) for name in named)
            words = ", ".join(f"{name} {format_major(minor, currency)}" for name, minor in parts if minor)
            return f" of {format_major(movement.total, currency)} {currency}: {words}"
        case RepaymentReversal(reason=reason):
            return f": {reason}"
        case Refund(amount=amount):
            return f" of {format_major(amount, currency)} {currency}"
        case _:
            assert_never(movement)


def _movement_document(movement: Movement, currency: str) -> MovementObject:
    def money(minor: int) -> str:
        return format_major(minor, currency)

    match movement:
        case Drawdown(drawdown_id, amount, fee):
            return {"type": "drawdown", "drawdown_id": drawdown_id, "amount": money(amount), "fee": money(fee)}
        case Repayment():
            return {
                "type": "repayment",
                "repayment_id": movement.repayment_id,
                "principal": money(movement.principal),
                "interest": money(movement.interest),
                "fees": money(movement.fees),
                "overpayment": money(movement.overpayment),
            }
        case RepaymentReversal(repayment_id, reason):
            return {"type": "repayment_reversal", "repayment_id": repayment_id, "reason": reason}
        case Refund(refund_id, amount):
            return {"type": "refund", "refund_id": refund_id, "amount": money(amount)}
        case _:
            assert_never(movement)


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
