"""What is known of one loan: its terms, its running totals, and the facts already recorded. Pure.

A *fact* is something that happened once and has its own id: a drawdown, an accrual, a fee, a repayment. Supply
(drawn, recognised, charged, overpaid) only ever grows; demand (repaid, waived, written off, refunded) may use up
supply but never exceed it. Because both are plain sums, the order in which events arrived leaves no trace in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from worker.errors import Bug
from worker.loans.events import InterestRecognition, Investor


class FactKind(StrEnum):
    """What kind of thing happened. A fee's waiver is a fact of its own under the fee's id."""

    DRAWDOWN = "drawdown"
    ACCRUAL = "accrual"
    REBATE = "rebate"
    FEE = "fee"
    WAIVER = "waiver"
    REPAYMENT = "repayment"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"

    @property
    def reversible(self) -> bool:
        """It may be told to have been reversed, before or after it is told itself."""
        return self in (FactKind.REPAYMENT, FactKind.REBATE)


class FactState(StrEnum):
    """Where a fact stands. Repayments move::

        (nothing) ──initiated──> pending ──failed──> failed
            │                       │
            └───────settled─────────┴──> settled ──reversed──> reversed

    A rebate is settled from its first moment on and may be reversed; every other fact is ``recorded`` and stays so.
    """

    RECORDED = "recorded"
    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"
    REVERSED = "reversed"

    @property
    def final(self) -> bool:
        """No later event can change the fact."""
        return self not in (FactState.PENDING, FactState.SETTLED)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units by what they are for: the borrower's three debts, and what was paid beyond them."""

    principal: int = 0
    interest: int = 0
    fees: int = 0
    overpayment: int = 0

    @property
    def total(self) -> int:
        return self.principal + self.interest + self.fees + self.overpayment

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.principal + other.principal,
            self.interest + other.interest,
            self.fees + other.fees,
            self.overpayment + other.overpayment,
        )

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.principal - other.principal,
            self.interest - other.interest,
            self.fees - other.fees,
            self.overpayment - other.overpayment,
        )


@dataclass(frozen=True, slots=True)
class Tender:
    """What of a repayment, in minor units, came otherwise than as cash now: the lender's matter, not the borrower's."""

    unapplied_cash: int = 0
    processing_cost: int = 0


@dataclass(frozen=True, slots=True)
class FactKey:
    """A fact's identity within its loan."""

    kind: FactKind
    fact_id: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded fact. A drawdown's netted fee is under ``fees``; what a recovery brought in is ``principal``."""

    key: FactKey
    state: FactState
    amounts: Amounts
    tender: Tender = Tender()


NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Loan:
    """One loan's terms and running totals, minor units of its currency.

    ``repaid`` is net of ``reversed_repayments``, both count overpayments; ``interest_rebated`` is net of rebates taken
    back. ``closed_on`` is the day the lender declared it closed; see :attr:`closed`.
    """

    loan_id: str
    borrower_id: str
    company_id: UUID
    connection_id: UUID
    currency: str
    interest_recognition: InterestRecognition
    investors: tuple[Investor, ...]
    disbursed: int = 0
    interest_recognised: int = 0
    interest_rebated: int = 0
    fees_charged: int = 0
    fees_waived: int = 0
    repaid: Amounts = NOTHING
    reversed_repayments: Amounts = NOTHING
    refunded: int = 0
    written_off: Amounts = NOTHING
    recovered: int = 0
    pending_repayments: int = 0
    closed_on: date | None = None

    @property
    def outstanding(self) -> Amounts:
        """What the borrower owes, and under ``overpayment`` what the lender owes the borrower."""
        interest, fees = self.interest_recognised - self.interest_rebated, self.fees_charged - self.fees_waived
        supplied = Amounts(self.disbursed, interest, fees)
        owed = supplied - self.repaid - self.written_off
        return Amounts(owed.principal, owed.interest, owed.fees, self.repaid.overpayment - self.refunded)

    @property
    def refundable(self) -> int:
        """Overpayments ever received and not yet refunded.

        Not reduced by reversals: a refund paid out before its repayment bounced happened all the same, and must be
        told the same way when the bounce is heard of first.
        """
        return self.repaid.overpayment + self.reversed_repayments.overpayment - self.refunded

    @property
    def recoverable(self) -> int:
        """Written off and not yet recovered."""
        return self.written_off.total - self.recovered

    @property
    def settled_up(self) -> bool:
        """Nobody owes anybody anything, and no repayment is under way."""
        return self.outstanding == NOTHING and self.pending_repayments == 0

    @property
    def closed(self) -> bool:
        """Declared closed and still settled up: a repayment that bounces afterwards opens the loan again."""
        return self.closed_on is not None and self.settled_up

    def record(self, before: Fact | None, fact: Fact) -> Loan:
        """The loan once ``fact`` holds in place of ``before``, the same fact as it stood until now."""
        amounts = fact.amounts
        match fact.key.kind:
            case FactKind.DRAWDOWN:
                recognised = self.interest_recognised + amounts.interest
                return replace(self, disbursed=self.disbursed + amounts.principal, interest_recognised=recognised)
            case FactKind.ACCRUAL:
                return replace(self, interest_recognised=self.interest_recognised + amounts.interest)
            case FactKind.REBATE:
                rebated = amounts.interest if fact.state is FactState.SETTLED else -amounts.interest
                return replace(self, interest_rebated=self.interest_rebated + rebated)
            case FactKind.FEE:
                return replace(self, fees_charged=self.fees_charged + amounts.fees)
            case FactKind.WAIVER:
                return replace(self, fees_waived=self.fees_waived + amounts.fees)
            case FactKind.REPAYMENT:
                return self._record_repayment(before, fact)
            case FactKind.REFUND:
                return replace(self, refunded=self.refunded + amounts.overpayment)
            case FactKind.WRITE_OFF:
                return replace(self, written_off=self.written_off + amounts)
            case FactKind.RECOVERY:
                return replace(self, recovered=self.recovered + amounts.principal)
            case _:
                assert_never(fact.key.kind)

    def _record_repayment(self, before: Fact | None, fact: Fact) -> Loan:
        was_pending = before is not None and before.state is FactState.PENDING
        pending = self.pending_repayments - was_pending
        match fact.state:
            case FactState.PENDING:
                return replace(self, pending_repayments=pending + 1)
            case FactState.SETTLED:
                return replace(self, pending_repayments=pending, repaid=self.repaid + fact.amounts)
            case FactState.FAILED:
                return replace(self, pending_repayments=pending)
            case FactState.REVERSED:
                reversed_repayments = self.reversed_repayments + fact.amounts
                return replace(self, repaid=self.repaid - fact.amounts, reversed_repayments=reversed_repayments)
            case FactState.RECORDED:
                raise Bug(f"repayment {fact.key.fact_id} of loan {self.loan_id} has no state of a repayment")
            case _:
                assert_never(fact.state)


Facts = Mapping[FactKey, Fact]
"""Facts of one loan by key; a key that is absent was never recorded."""
