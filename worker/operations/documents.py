"""What is shown as JSON documents: times as RFC 3339, amounts as exact major-unit text. Pure.

These are what ``/v1`` answers and what the commands print with ``--output json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias, assert_never
from uuid import UUID

from worker.loans.fields import MAX_SHARE_CHARACTERS
from worker.loans.loan import Amounts, Loan
from worker.money import format_major
from worker.operations.views import DeadLetter, Event, Job, JobAbout, JobAttempt, Saga, Step, StepAttempt
from worker.writeback.movement import Drawdown, Movement, Refund, Repayment, RepaymentReversal, movement_document
from worker.writeback.plan import movement_name

Document: TypeAlias = dict[str, Any]

_SHARE: Final = Context(prec=MAX_SHARE_CHARACTERS)
"""Arithmetic that holds the longest share exactly."""

TERMS: Final = ("loan_id", "borrower_id", "company_id", "connection_id", "currency", "interest_recognition")


LOAN_STATUSES: Final = ("agreed", "active", "settled", "closed")
"""Before anything was paid out; while something is outstanding; when nothing is; when the lender said so."""


def page_document(items: Sequence[Document], following: int | str | None) -> Document:
    """One page of a list; ``next`` is the ``after`` of the page that follows, null on the last."""
    return {"data": list(items), "next": None if following is None else str(following)}


def event_document(event: Event) -> Document:
    """A loan event and what became of it; its own page adds the body exactly as it was signed."""
    fields = {name: _plain(value) for name, value in asdict(event).items() if name != "id"}
    return {**fields, "needs": list(event.needs)}


def loan_document(loan: Loan) -> Document:
    """A loan's terms, totals and what is outstanding."""

    def money(minor: int) -> str:
        return format_major(minor, loan.currency)

    def split(amounts: Amounts) -> dict[str, str]:
        return {name: money(minor) for name, minor in asdict(amounts).items()}

    return {
        **{name: _plain(getattr(loan, name)) for name in TERMS},
        "investors": [{"investor_id": one.investor_id, "share": _decimal(one.share)} for one in loan.investors],
        "status": loan_status(loan),
        "closed_on": _plain(loan.closed_on),
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


def loan_status(loan: Loan) -> str:
    """Where a loan stands: one of :data:`LOAN_STATUSES`."""
    if loan.closed:
        return "closed"
    if not loan.settled_up:
        return "active"
    return "settled" if loan.disbursed else "agreed"


def saga_document(saga: Saga) -> Document:
    """A saga without its steps."""
    return {
        "saga_id": saga.id,
        "kind": saga.kind.value,
        "summary": _summary(saga),
        "event_id": saga.event_id,
        "loan_id": saga.loan_id,
        "state": saga.state.value,
        "waiting_for": _plain(saga.waiting_for),
        "reason": saga.reason,
        "steps_succeeded": saga.steps_succeeded,
        "steps_total": saga.steps_total,
        "company_id": str(saga.company_id),
        "connection_id": str(saga.connection_id),
        "currency": saga.currency,
        "effective_date": saga.effective_date.isoformat(),
        "movement": _movement_document(saga.movement, saga.currency) if saga.movement else None,
        "mapping_version": saga.mapping_version,
        "ledger_transaction_id": _plain(saga.ledger_transaction_id),
        "created_at": saga.created_at.isoformat(),
        "changed_at": saga.changed_at.isoformat(),
        "finished_at": _plain(saga.finished_at),
    }


def step_document(step: Step, attempts: Sequence[StepAttempt]) -> Document:
    """A step with its history; its amount is its effect on the lender's account."""
    fields = {name: _plain(value) for name, value in asdict(step).items() if name not in {"id", "refusal"}}
    return {
        "step_id": step.id,
        **fields,
        "amount": format_major(step.amount, step.currency),
        "refusal": asdict(step.refusal) if step.refusal else None,
        "attempts": [_without(attempt, "step_id") for attempt in attempts],
    }


def job_document(job: Job) -> Document:
    """An unfinished job."""
    return {"job_id": job.id, **_about(job.about), **_without(job, "id", "about")}


def dead_letter_document(letter: DeadLetter) -> Document:
    """A dead letter."""
    return {"dead_letter_id": letter.id, **_about(letter.about), **_without(letter, "id", "about")}


def job_attempt_document(attempt: JobAttempt) -> Document:
    """One attempt of a job that did not succeed."""
    return _without(attempt)


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


def _movement_document(movement: Movement, currency: str) -> Document:
    stored = movement_document(movement)
    return {name: format_major(value, currency) if type(value) is int else value for name, value in stored.items()}


def _about(about: JobAbout) -> Document:
    return {"event_id": about.event_id, "saga_id": about.saga_id, "loan_id": about.loan_id}


def _without(view: Any, *names: str) -> Document:
    fields: Mapping[str, Any] = asdict(view)
    return {name: _plain(value) for name, value in fields.items() if name not in names}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case _:
            return value
