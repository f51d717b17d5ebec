"""What one event does to one loan or investor: apply, hold, duplicate or refuse. Pure.

The rules make arrival order irrelevant (contract, section 5). Supply is never held back; demand waits until the supply
is there; a reversal in hand frees what it reverses from waiting, because together the two demand nothing. A set of
events that fits together therefore always ends with every one of them applied, and every applied event adds the same
sums.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from worker.loans.decision import (
    FEES,
    INTEREST,
    LOAN_CREATED,
    LOAN_DISBURSED,
    OVERPAYMENT,
    PRINCIPAL,
    SETTLED_UP,
    WRITE_OFF,
    Apply,
    Decision,
    Duplicate,
    Hold,
    Refuse,
    capital,
    earned_interest,
    fee_charged,
    repayment_initiated,
    reversal,
    settled,
)
from worker.loans.events import (
    CapitalContributed,
    CapitalEvent,
    FeeWaived,
    InterestAccrued,
    InterestRecognition,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanWrittenOff,
)
from worker.loans.facts import AboutLoan, TellsFact, describe, fact_of, fee_of, told_before
from worker.loans.investor import InvestorAccount
from worker.loans.loan import Fact, FactKey, FactKind, Facts, FactState, Loan
from worker.loans.repayment import advance
from worker.money import Money


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when an event is decided: its loan, its facts, and those facts whose reversal is held."""

    loan: Loan | None
    facts: Facts
    reversals_in_hand: Collection[FactKey] = ()


def decide_for_loan(known: Known, event: AboutLoan, event_id: str) -> Decision:
    """What the event does to its loan; ``event_id`` is its webhook id."""
    loan = known.loan
    if isinstance(event, LoanCreated):
        return _create(loan, event)
    if loan is None:
        return Hold(f"loan {event.loan_id} has not been created yet", frozenset({LOAN_CREATED}))
    if event.currency != loan.currency:
        reason = f"loan {loan.loan_id} is in {loan.currency}, the event is in {event.currency}"
        return Refuse("data.currency", reason)
    if isinstance(event, LoanClosed):
        return _close(loan, event)
    told = fact_of(event, event_id)
    before = known.facts.get(told.key)
    admitted = _admit(known, loan, event, told)
    if not isinstance(admitted, Fact):
        return admitted
    return _wait(known, loan, admitted) or _record(loan, before, admitted)


def decide_for_investor(account: InvestorAccount, event: CapitalEvent) -> Decision:
    """What the event does to its investor's account in the event's currency."""
    if isinstance(event, CapitalContributed):
        news = frozenset({capital(event.currency)})
        return Apply(investor=replace(account, contributed=account.contributed + event.amount), news=news)
    due = (
        ("principal", event.principal, account.principal_due, capital(event.currency)),
        ("interest", event.interest, account.interest_due, earned_interest(event.currency)),
    )
    short = [(part, asked, left, need) for part, asked, left, need in due if asked > left]
    if short:
        reason = "the distribution pays " + " and ".join(
            f"{Money(asked, event.currency)} of {part} where {Money(left, event.currency)} is due"
            for part, asked, left, _ in short
        )
        return Hold(reason, frozenset(need for *_, need in short))
    return Apply(
        investor=replace(
            account,
            principal_distributed=account.principal_distributed + event.principal,
            interest_distributed=account.interest_distributed + event.interest,
        )
    )


def _create(loan: Loan | None, event: LoanCreated) -> Decision:
    terms = Loan(
        event.loan_id,
        event.borrower_id,
        event.company_id,
        event.connection_id,
        event.currency,
        event.interest_recognition,
        event.investors,
    )
    if loan is None:
        return Apply(loan=terms, news=frozenset({LOAN_CREATED}))
    for field in ("currency", "borrower_id", "company_id", "connection_id", "interest_recognition", "investors"):
        if getattr(loan, field) != getattr(terms, field):
            return Refuse(f"data.{field}", f"loan {loan.loan_id} was already created with another {field}")
    return Duplicate(f"loan {loan.loan_id} was already created on the same terms")


def _close(loan: Loan, event: LoanClosed) -> Decision:
    # A loan may bounce open and close again: the latest day counts, whichever close is heard of first.
    if loan.closed_on is not None and event.effective_date <= loan.closed_on:
        return Duplicate(f"loan {loan.loan_id} was already closed on {loan.closed_on}")
    if loan.settled_up:
        return Apply(loan=replace(loan, closed_on=event.effective_date))
    owed = loan.outstanding
    open_amounts = [
        f"{Money(amount, loan.currency)} of {part} is outstanding"
        for part, amount in (("principal", owed.principal), ("interest", owed.interest), ("fees", owed.fees))
        if amount
    ]
    if owed.overpayment:
        open_amounts.append(f"{Money(owed.overpayment, loan.currency)} is owed to the borrower")
    if loan.pending_repayments:
        open_amounts.append(f"repayments under way: {loan.pending_repayments}")
    return Hold(f"loan {loan.loan_id} closes, but " + ", ".join(open_amounts), frozenset({SETTLED_UP}))


def _admit(known: Known, loan: Loan, event: TellsFact, told: Fact) -> Decision | Fact:
    """The fact as it shall stand if the money is there, or the answer that needs no look at the money."""
    before = known.facts.get(told.key)
    if told.key.kind.reversible:
        return advance(loan, before, told)
    if before is not None:
        return told_before(loan, before, told)
    return _contradiction(known, loan, event) or told


def _contradiction(known: Known, loan: Loan, event: TellsFact) -> Refuse | None:
    match event:
        case LoanDisbursed() if event.interest and loan.interest_recognition is InterestRecognition.ACCRUAL:
            reason = f"loan {loan.loan_id} recognises interest by accrual, so a drawdown can carry none"
            return Refuse("data.interest", reason)
        case InterestAccrued() if loan.interest_recognition is InterestRecognition.AT_DISBURSEMENT:
            reason = f"loan {loan.loan_id} recognises interest at disbursement, so none can accrue"
            return Refuse("type", reason)
        case FeeWaived():
            fee = known.facts.get(FactKey(FactKind.FEE, event.fee_id))
            if fee and event.amount > fee.amounts.fees:
                waived, charged = (Money(amount, loan.currency) for amount in (event.amount, fee.amounts.fees))
                return Refuse("data.amount", f"{waived} of fee {event.fee_id} is waived, {charged} was charged")
        case LoanWrittenOff():
            investors = {investor.investor_id for investor in loan.investors}
            for index, loss in enumerate(event.losses):
                if loss.investor_id not in investors:
                    reason = f"{loss.investor_id} is no investor of loan {loan.loan_id}, so it bears none of its loss"
                    return Refuse(f"data.losses[{index}].investor_id", reason)
    return None


def _wait(known: Known, loan: Loan, fact: Fact) -> Hold | None:
    """The hold of a fact that demands what is not there yet; None when nothing is missing."""
    kind, state = fact.key.kind, fact.state
    if kind in (FactKind.DRAWDOWN, FactKind.ACCRUAL, FactKind.FEE) or state in (FactState.FAILED, FactState.REVERSED):
        return None
    if kind is FactKind.WAIVER:
        if fee_of(fact.key) not in known.facts:
            needs = frozenset({fee_charged(fact.key.fact_id)})
            return Hold(f"fee {fact.key.fact_id} is waived before it was charged", needs)
    elif not loan.disbursed:
        return Hold(f"nothing has been drawn on loan {loan.loan_id} yet", frozenset({LOAN_DISBURSED}))
    if state is FactState.PENDING or fact.key in known.reversals_in_hand:
        return None
    return _shortfall(loan, fact)


def _shortfall(loan: Loan, fact: Fact) -> Hold | None:
    left, asked = loan.outstanding, fact.amounts
    if fact.key.kind is FactKind.REFUND:
        claims = [(OVERPAYMENT, "an overpayment", asked.overpayment, loan.refundable)]
    elif fact.key.kind is FactKind.RECOVERY:
        claims = [(WRITE_OFF, "what was written off", asked.principal, loan.recoverable)]
    else:
        claims = [
            (PRINCIPAL, "principal", asked.principal, left.principal),
            (INTEREST, "interest", asked.interest, left.interest),
            (FEES, "fees", asked.fees, left.fees),
        ]
    short = [claim for claim in claims if claim[2] and claim[2] > claim[3]]
    if not short:
        return None
    needs = {need for need, *_ in short}
    if fact.key.kind.reversible:
        needs.add(reversal(fact.key))
    reason = " and ".join(
        f"{Money(claimed, loan.currency)} of {what} where {Money(available, loan.currency)} is outstanding"
        for _, what, claimed, available in short
    )
    return Hold(f"{describe(fact.key)} takes {reason}", frozenset(needs))


def _record(loan: Loan, before: Fact | None, fact: Fact) -> Apply:
    after = loan.record(before, fact)
    return Apply(loan=after, fact=fact, news=_news(loan, after) | _news_of_fact(fact))


def _news(before: Loan, after: Loan) -> frozenset[str]:
    """The needs a change of the loan's totals may satisfy."""
    was, now = before.outstanding, after.outstanding
    grew = {
        LOAN_DISBURSED: after.disbursed > 0 and before.disbursed == 0,
        PRINCIPAL: now.principal > was.principal,
        INTEREST: now.interest > was.interest,
        FEES: now.fees > was.fees,
        OVERPAYMENT: after.refundable > before.refundable,
        WRITE_OFF: after.recoverable > before.recoverable,
        SETTLED_UP: after.settled_up and not before.settled_up,
    }
    return frozenset(need for need, happened in grew.items() if happened)


def _news_of_fact(fact: Fact) -> frozenset[str]:
    fact_id = fact.key.fact_id
    if fact.key.kind is FactKind.FEE:
        return frozenset({fee_charged(fact_id)})
    if fact.key.kind is FactKind.REBATE:
        return frozenset({settled(fact.key)})
    if fact.key.kind is not FactKind.REPAYMENT:
        return frozenset()
    if fact.state is FactState.PENDING:
        return frozenset({repayment_initiated(fact_id)})
    # A failure that waited is refused after a settlement, and a reversal after a failure: both must be told.
    return frozenset({repayment_initiated(fact_id), settled(fact.key)})
