"""A batch of events decided one after the other against what is known, and everything that follows. Pure.

Each event sees what the ones before it did. Loans come first; investors are decided once the interest their loans
earned them in this very batch is counted, which needs their locked accounts (:meth:`Batch.investors_concerned`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from worker.jobs.job import NewJob
from worker.loans.decide import Known, decide_for_investor, decide_for_loan
from worker.loans.decision import Apply, Decision, Hold, earned_interest, settled
from worker.loans.events import (
    CapitalContributed,
    CapitalDistributed,
    CapitalEvent,
    CashReceived,
    CashSwept,
    ExpenseIncurred,
    LoanEvent,
    OwnEvent,
)
from worker.loans.facts import AboutLoan, keys_of
from worker.loans.investor import InvestorAccount
from worker.loans.loan import Fact, FactKey, Loan
from worker.loans.postings import Posting, Postings, interest_shares, movement_of, recognised_interest
from worker.writeback.movement import Movement


class SubjectKind(StrEnum):
    """What an event can be about; also the first word of its lane's name."""

    LOAN = "loan"
    INVESTOR = "investor"
    EVENT = "event"


class Subject(NamedTuple):
    """What an event is about. One of the lender's own, an expense for example, is about nothing but itself."""

    kind: SubjectKind
    id: str


class InvestorKey(NamedTuple):
    """An investor's account in one currency; sorts in the order in which accounts are locked."""

    investor_id: str
    currency: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event to decide, with the inbox message it came in and its webhook id."""

    message_id: int
    event_id: str
    event: LoanEvent

    @property
    def subject(self) -> Subject:
        """What the event is about."""
        match self.event:
            case CapitalContributed() | CapitalDistributed():
                return Subject(SubjectKind.INVESTOR, self.event.investor_id)
            case CashReceived() | CashSwept() | ExpenseIncurred():
                return Subject(SubjectKind.EVENT, self.event_id)
            case _:
                return Subject(SubjectKind.LOAN, self.event.loan_id)

    @property
    def keys(self) -> tuple[FactKey, ...]:
        """Facts that must be known before the event can be decided."""
        if isinstance(self.event, CapitalEvent | OwnEvent):
            return ()
        return keys_of(self.event, self.event_id)


@dataclass(frozen=True, slots=True)
class Decided:
    """An event, the answer to it, and what the answer writes into the two books."""

    incoming: Incoming
    decision: Decision
    posting: Posting = field(default_factory=Posting)
    movement: Movement | None = None


@dataclass(frozen=True, slots=True)
class PostedEvents:
    """What became of events' operations: the transaction each message came to, and jobs that see to the rest.

    A ledger of our own answers with transactions, one that is elsewhere with jobs.
    """

    transaction_ids: Mapping[int, UUID] = field(default_factory=dict)
    jobs: Sequence[NewJob] = ()


class Batch:
    """What is known, and what this batch has decided so far."""

    def __init__(
        self,
        loans: Mapping[str, Loan],
        facts: Mapping[str, Mapping[FactKey, Fact]],
        reversals_in_hand: Mapping[str, Iterable[FactKey]],
        postings: Postings,
    ) -> None:
        self._postings = postings
        self.loans = dict(loans)
        self.changed_facts: dict[str, dict[FactKey, Fact]] = {}
        self.changed_loans: set[str] = set()
        self.investors: dict[InvestorKey, InvestorAccount] = {}
        self.decided: list[Decided] = []
        self.news: dict[Subject, set[str]] = {}
        self._facts = {loan_id: dict(known) for loan_id, known in facts.items()}
        self._reversals_in_hand = {loan_id: set(ids) for loan_id, ids in reversals_in_hand.items()}
        self._earned: dict[InvestorKey, int] = {}

    def decide_loans(self, incoming: Iterable[Incoming]) -> None:
        """Decide the events of loans and the lender's own, in order; events of investors are left for later."""
        for one in incoming:
            match one.event:
                case CapitalContributed() | CapitalDistributed():
                    continue
                case CashReceived() | CashSwept() | ExpenseIncurred():
                    self.decided.append(Decided(one, Apply(), self._postings.of_own(one.event, one.event_id)))
                case _:
                    self._decide_for_loan(one, one.event)

    def investors_concerned(self, incoming: Iterable[Incoming]) -> list[InvestorKey]:
        """Accounts to lock before :meth:`decide_investors`, in locking order."""
        asked = {
            InvestorKey(one.event.investor_id, one.event.currency)
            for one in incoming
            if isinstance(one.event, CapitalContributed | CapitalDistributed)
        }
        return sorted(asked | self._earned.keys())

    def decide_investors(self, incoming: Iterable[Incoming], accounts: Mapping[InvestorKey, InvestorAccount]) -> None:
        """Count the interest earned in this batch, then decide the investors' events in order."""
        self.investors = dict(accounts)
        for key, interest in self._earned.items():
            account = self.investors[key]
            self.investors[key] = replace(account, interest_earned=account.interest_earned + interest)
            self._tell(Subject(SubjectKind.INVESTOR, key.investor_id), {earned_interest(key.currency)})
        self._earned = {}
        for one in incoming:
            if isinstance(one.event, CapitalContributed | CapitalDistributed):
                self._decide_for_investor(one, one.event)

    def _decide_for_loan(self, one: Incoming, event: AboutLoan) -> None:
        facts = self._facts.setdefault(event.loan_id, {})
        in_hand = self._reversals_in_hand.setdefault(event.loan_id, set())
        known = Known(self.loans.get(event.loan_id), facts, in_hand)
        decision = decide_for_loan(known, event, one.event_id)
        match decision:
            case Apply(loan=Loan() as loan, fact=fact):
                before = facts.get(fact.key) if fact else None
                posting = self._postings.of_loan(loan, before, event, one.event_id)
                self.decided.append(Decided(one, decision, posting, movement_of(event)))
                self._take_effect(loan, fact)
                self._earn(loan, event)
                self._tell(one.subject, decision.news)
                return
            case Hold():
                in_hand.update(key for key in one.keys if settled(key) in decision.needs)
                self._tell(one.subject, decision.news)
        self.decided.append(Decided(one, decision))

    def _take_effect(self, loan: Loan, fact: Fact | None) -> None:
        self.loans[loan.loan_id] = loan
        self.changed_loans.add(loan.loan_id)
        if fact:
            self._facts[loan.loan_id][fact.key] = fact
            self.changed_facts.setdefault(loan.loan_id, {})[fact.key] = fact
            if fact.state.final:
                self._reversals_in_hand[loan.loan_id].discard(fact.key)

    def _earn(self, loan: Loan, event: AboutLoan) -> None:
        for investor_id, part in interest_shares(loan, recognised_interest(event)):
            if part:
                key = InvestorKey(investor_id, loan.currency)
                self._earned[key] = self._earned.get(key, 0) + part

    def _decide_for_investor(self, one: Incoming, event: CapitalEvent) -> None:
        key = InvestorKey(event.investor_id, event.currency)
        decision = decide_for_investor(self.investors[key], event)
        if isinstance(decision, Apply) and decision.investor:
            self.investors[key] = decision.investor
            self._tell(one.subject, decision.news)
            self.decided.append(Decided(one, decision, self._postings.of_investor(event, one.event_id)))
        else:
            self.decided.append(Decided(one, decision))

    def _tell(self, subject: Subject, news: Iterable[str]) -> None:
        if needs := set(news):
            self.news.setdefault(subject, set()).update(needs)
