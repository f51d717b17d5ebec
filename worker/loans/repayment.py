"""The life of a repayment or rebate, told in any order. Pure; :class:`~worker.loans.loan.FactState` has the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from worker.errors import Bug
from worker.loans.decision import (
    Decision,
    Duplicate,
    Hold,
    Refuse,
    repayment_initiated,
    reversal,
    settled,
)
from worker.loans.facts import describe, told_before
from worker.loans.loan import Fact, FactState, Loan


def advance(loan: Loan, before: Fact | None, told: Fact) -> Decision | Fact:
    """What its event comes to: a decision, or the fact as it shall stand if the money is there."""
    match told.state:
        case FactState.PENDING:
            return _initiate(loan, before, told)
        case FactState.SETTLED:
            return _settle(loan, before, told)
        case FactState.FAILED:
            return _fail(before, told)
        case FactState.REVERSED:
            return _reverse(before, told)
        case FactState.RECORDED:
            raise Bug(f"no event leaves {describe(told.key)} in state {told.state}")
        case _:
            assert_never(told.state)


def _initiate(loan: Loan, before: Fact | None, told: Fact) -> Decision | Fact:
    if before is None:
        return told
    if before.state in (FactState.SETTLED, FactState.REVERSED):
        return Duplicate(f"repayment {told.key.fact_id} has got past being initiated: it settled")
    return told_before(loan, before, told)


def _settle(loan: Loan, before: Fact | None, told: Fact) -> Decision | Fact:
    if before is None or before.state is FactState.PENDING:
        return told
    if before.state is FactState.FAILED:
        reason = f"repayment {told.key.fact_id} failed; money that came after all needs a repayment_id of its own"
        return Refuse("data.repayment_id", reason)
    return told_before(loan, before, told)


def _fail(before: Fact | None, told: Fact) -> Decision | Fact:
    repayment_id = told.key.fact_id
    if before is None:
        needs = frozenset({repayment_initiated(repayment_id)})
        return Hold(f"repayment {repayment_id} failed before it was told to be initiated", needs)
    if before.state is FactState.PENDING:
        return replace(before, state=told.state)
    if before.state is FactState.FAILED:
        return Duplicate(f"repayment {repayment_id} had already failed")
    reason = f"repayment {repayment_id} settled, so it cannot fail any more; it can be reversed"
    return Refuse("data.repayment_id", reason)


def _reverse(before: Fact | None, told: Fact) -> Decision | Fact:
    what = describe(told.key)
    if before is None or before.state is FactState.PENDING:
        return Hold(
            f"{what} is reversed before it settled",
            needs=frozenset({settled(told.key)}),
            news=frozenset({reversal(told.key)}),
        )
    if before.state is FactState.SETTLED:
        return replace(before, state=told.state)
    if before.state is FactState.REVERSED:
        return Duplicate(f"{what} had already been reversed")
    return Refuse("data.repayment_id", f"{what} failed, so there is nothing to reverse")
