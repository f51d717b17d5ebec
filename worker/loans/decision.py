"""The four answers to an event, and the needs a held one waits for. Pure.

A *need* is a short word stored with a held event. What an applied event brought is expressed in the same words, so an
event that waits is looked at again exactly when something it waits for has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from worker.loans.investor import InvestorAccount
from worker.loans.loan import Fact, FactKey, Loan

LOAN_CREATED: Final = "loan.created"
LOAN_DISBURSED: Final = "loan.disbursed"
PRINCIPAL: Final = "principal"
INTEREST: Final = "interest"
FEES: Final = "fees"
OVERPAYMENT: Final = "overpayment"
WRITE_OFF: Final = "write_off"
SETTLED_UP: Final = "settled_up"


def fee_charged(fee_id: str) -> str:
    """The need for a fee to have been charged."""
    return f"fee:{fee_id}"


def repayment_initiated(repayment_id: str) -> str:
    """The need for a repayment to be under way, or to have got past that."""
    return f"initiated:{repayment_id}"


def settled(key: FactKey) -> str:
    """The need for a repayment or rebate to have settled. Only its reversal waits for this, so the wait is telling."""
    return f"settled:{key.kind.value}:{key.fact_id}"


def reversal(key: FactKey) -> str:
    """The need for the reversal of a repayment or rebate to be in hand: what was taken back anyway uses up nothing."""
    return f"reversal:{key.kind.value}:{key.fact_id}"


def capital(currency: str) -> str:
    """The need for an investor to have contributed more capital in this currency."""
    return f"capital:{currency}"


def earned_interest(currency: str) -> str:
    """The need for an investor to have earned more interest in this currency."""
    return f"earned_interest:{currency}"


@dataclass(frozen=True, slots=True)
class Apply:
    """The event takes effect: what changed, and ``news``, the needs this may satisfy."""

    loan: Loan | None = None
    fact: Fact | None = None
    investor: InvestorAccount | None = None
    news: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hold:
    """The event came too early and waits for any of ``needs``; ``news`` is what its mere presence tells others."""

    reason: str
    needs: frozenset[str]
    news: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same fact was told before, in the same words or better ones; nothing is left to do."""

    note: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The event can never be right; ``field`` is the dotted path a person has to correct."""

    field: str
    reason: str


Decision = Apply | Hold | Duplicate | Refuse
