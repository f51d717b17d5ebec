"""What an applied event writes into the lender's ledger (contract, section 5), and into the borrower's books. Pure.

Which accounts an event writes to is said by the rulebook. Investors' shares of interest are rounded half-even to the
minor unit and the lender's part takes the residual, so every transaction balances. An entry of zero is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, assert_never

from worker.ledger.book import midnight
from worker.ledger.transaction import (
    AccountSpec,
    Archive,
    BalanceCondition,
    BalanceKind,
    Comparison,
    Create,
    NewEntry,
    NewTransaction,
    Operation,
    Post,
    Reverse,
    Status,
)
from worker.loans.events import (
    CapitalContributed,
    CapitalDistributed,
    CapitalEvent,
    CashReceived,
    CashSwept,
    ExpenseIncurred,
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
    OwnEvent,
    RebateReversed,
    RepaymentFailed,
    RepaymentInitiated,
    RepaymentReversed,
    RepaymentSettled,
)
from worker.loans.facts import AboutLoan, fact_of
from worker.loans.loan import Fact, FactState, Loan
from worker.loans.rulebook import Line, Names, Occurrence, Parts, Rulebook
from worker.money import Money, share
from worker.writeback.movement import Drawdown, Movement, Refund, Repayment, RepaymentReversal

LEDGER_NAME: Final = "Loans"
"""The one ledger all of this lender's loans, investors and operating accounts are kept in."""


_NOT_BELOW_ZERO: Final = BalanceCondition(BalanceKind.AVAILABLE, Comparison.GTE, 0)


@dataclass(frozen=True, slots=True)
class Posting:
    """Operations for the ledger in order, and every account they, or the event itself, need to exist."""

    operations: tuple[Operation, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class _Heading:
    """What a transaction says about itself, apart from its entries."""

    external_id: str
    event_type: str
    effective_date: date
    description: str
    about: dict[str, str]

    @property
    def metadata(self) -> dict[str, str]:
        return {**self.about, "transactionType": self.event_type}


class Postings:
    """What events write, by one rulebook."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook

    def of_loan(self, loan: Loan, before: Fact | None, event: AboutLoan, event_id: str) -> Posting:
        """The ledger's part of an event of a loan; ``before`` is its fact as it stood until now."""
        match event:
            case LoanCreated():
                opened = self._rulebook.opened(event.type, _names(loan))
                return Posting(accounts=tuple(_marked(account, event.metadata) for account in opened))
            case LoanClosed():
                return Posting()
            case RepaymentSettled():
                return self._settle(loan, before, event, event_id)
            case RepaymentFailed():
                return Posting((Archive(_repayment_id(event), f"failed: {event.reason}"),))
            case RepaymentReversed():
                heading = _heading(event, event.repayment_id, f"Reversal of repayment {event.repayment_id}", event_id)
                return Posting((_reverse(_repayment_id(event), heading),))
            case RebateReversed():
                heading = _heading(event, event.rebate_id, f"Reversal of rebate {event.rebate_id}", event_id)
                rebate = transaction_id(InterestRebated.type, event.loan_id, event.rebate_id)
                return Posting((_reverse(rebate, heading),))
            case _:
                heading = _heading(event, *_identity(event, event_id), event_id)
                status = Status.PENDING if isinstance(event, RepaymentInitiated) else Status.POSTED
                return self._write(heading, status, loan, event)

    def of_investor(self, event: CapitalEvent, event_id: str) -> Posting:
        """The ledger's part of an event of an investor."""
        names = {"currency": event.currency, "investor_id": event.investor_id}
        match event:
            case CapitalContributed():
                description = f"Capital contributed by {event.investor_id}"
                amounts = {"amount": event.amount}
            case CapitalDistributed():
                description = f"Capital distributed to {event.investor_id}"
                amounts = {"principal": event.principal, "interest": event.interest}
            case _:
                assert_never(event)
        external_id = transaction_id(event.type, event.investor_id, event_id)
        about = {**dict(event.metadata), "investorID": event.investor_id, "event_id": event_id}
        heading = _Heading(external_id, event.type, event.effective_date, description, about)
        return _posting(heading, Status.POSTED, self._rulebook.lines(Occurrence(event.type, amounts, names)))

    def of_own(self, event: OwnEvent, event_id: str) -> Posting:
        """The ledger's part of an event that is about no loan and no investor."""
        match event:
            case CashReceived():
                description = "Unidentified receipt"
            case CashSwept():
                description = "Sweep to the reserve"
            case ExpenseIncurred():
                description = f"Expense: {event.kind}"
            case _:
                assert_never(event)
        external_id = transaction_id(event.type, event_id)
        about = {**dict(event.metadata), "event_id": event_id}
        heading = _Heading(external_id, event.type, event.effective_date, description, about)
        lines = self._rulebook.lines(Occurrence(event.type, {"amount": event.amount}, {"currency": event.currency}))
        return _posting(heading, Status.POSTED, lines)

    def _settle(self, loan: Loan, before: Fact | None, event: RepaymentSettled, event_id: str) -> Posting:
        external_id = _repayment_id(event)
        told = fact_of(event, event_id)
        pending = before if before and before.state is FactState.PENDING else None
        if pending and (pending.amounts, pending.tender) == (told.amounts, told.tender):
            return Posting((Post(external_id, midnight(event.effective_date)),))
        heading = _heading(event, event.repayment_id, f"Repayment {event.repayment_id}", event_id)
        written = self._write(heading, Status.POSTED, loan, event)
        if not pending:
            return written
        superseded = Archive(external_id, "superseded: settled with another split")
        return Posting((superseded, *written.operations), written.accounts)

    def _write(self, heading: _Heading, status: Status, loan: Loan, event: _Written) -> Posting:
        occurrence = Occurrence(heading.event_type, _amounts(event), _names(loan), _parts(loan, event))
        return _posting(heading, status, self._rulebook.lines(occurrence))


def interest_shares(loan: Loan, interest: int) -> list[tuple[str, int]]:
    """What of recognised ``interest`` each of the loan's investors earns; the rest is the lender's revenue."""
    parts, _ = share(Money(interest, loan.currency), [investor.share for investor in loan.investors])
    return [(investor.investor_id, part.minor) for investor, part in zip(loan.investors, parts, strict=True)]


def _parts(loan: Loan, event: _Written) -> Mapping[str, Parts]:
    """What of an event's amounts falls to investors.

    Interest given up is divided as it was when it was recognised; who bears lost principal is the event's to say.
    """
    match event:
        case LoanDisbursed():
            return {"interest": interest_shares(loan, event.interest)}
        case InterestAccrued() | InterestRebated():
            return {"amount": interest_shares(loan, event.amount)}
        case LoanWrittenOff():
            losses = [(loss.investor_id, loss.amount) for loss in event.losses]
            return {"interest": interest_shares(loan, event.interest), "principal": losses}
        case _:
            return {}


def recognised_interest(event: AboutLoan) -> int:
    """Interest the lender earns by this event, of which investors have their shares."""
    match event:
        case LoanDisbursed():
            return event.interest
        case InterestAccrued():
            return event.amount
        case _:
            return 0


def movement_of(event: AboutLoan) -> Movement | None:
    """What must happen in the borrower's books because the event was applied; None when they are not touched."""
    match event:
        case LoanDisbursed():
            return Drawdown(event.drawdown_id, event.amount, event.fee)
        case RepaymentSettled():
            return Repayment(event.repayment_id, event.principal, event.interest, event.fees, event.overpayment)
        case RepaymentReversed():
            return RepaymentReversal(event.repayment_id, event.reason)
        case LoanRefunded():
            return Refund(event.refund_id, event.amount)
        case _:
            return None


def transaction_id(event_type: str, *ids: str) -> str:
    """A ledger transaction's external id. Ids are quoted, so that no two events can come to the same one."""
    return ":".join([event_type, *(part.replace("%", "%25").replace(":", "%3A") for part in ids)])


_Written = (
    LoanDisbursed
    | InterestAccrued
    | InterestRebated
    | FeeCharged
    | FeeWaived
    | RepaymentInitiated
    | RepaymentSettled
    | LoanRefunded
    | LoanWrittenOff
    | LoanRecovered
)


def _amounts(event: _Written) -> Mapping[str, int]:
    """The event's amounts by the words that rules use for them."""
    match event:
        case LoanDisbursed():
            return {"amount": event.amount, "interest": event.interest, "fee": event.fee}
        case InterestAccrued() | InterestRebated() | FeeCharged() | FeeWaived() | LoanRefunded() | LoanRecovered():
            return {"amount": event.amount}
        case RepaymentInitiated():
            return _split(event) | {"overpayment": 0, "unapplied_cash": 0, "processing_cost": 0}
        case RepaymentSettled():
            return _split(event) | {
                "overpayment": event.overpayment,
                "unapplied_cash": event.unapplied_cash,
                "processing_cost": event.processing_cost,
            }
        case LoanWrittenOff():
            return _split(event)
        case _:
            assert_never(event)


def _split(event: RepaymentInitiated | RepaymentSettled | LoanWrittenOff) -> dict[str, int]:
    return {"principal": event.principal, "interest": event.interest, "fees": event.fees}


def _marked(account: AccountSpec, metadata: Sequence[tuple[str, str]]) -> AccountSpec:
    """The account with the lender's own metadata; what the rulebook says of it stays."""
    return replace(account, metadata={**dict(metadata), **account.metadata})


def _names(loan: Loan) -> Names:
    return {"currency": loan.currency, "loan_id": loan.loan_id, "borrower_id": loan.borrower_id}


def _identity(event: _Written, event_id: str) -> tuple[str, str]:
    """The event's own id, and what a description calls it."""
    match event:
        case LoanDisbursed():
            return event.drawdown_id, f"Drawdown {event.drawdown_id}"
        case InterestAccrued():
            return event.accrual_id, f"Interest accrual {event.accrual_id}"
        case InterestRebated():
            return event.rebate_id, f"Rebate {event.rebate_id} ({event.kind})"
        case FeeCharged():
            return event.fee_id, f"Fee {event.fee_id} ({event.kind})"
        case FeeWaived():
            return event.fee_id, f"Waiver of fee {event.fee_id} ({event.kind})"
        case RepaymentInitiated() | RepaymentSettled():
            return event.repayment_id, f"Repayment {event.repayment_id}"
        case LoanRefunded():
            return event.refund_id, f"Refund {event.refund_id}"
        case LoanWrittenOff():
            return event_id, "Write-off"
        case LoanRecovered():
            return event_id, "Recovery"
        case _:
            assert_never(event)


_AboutRepayment = RepaymentInitiated | RepaymentSettled | RepaymentFailed | RepaymentReversed


def _repayment_id(event: _AboutRepayment) -> str:
    """One external id for a repayment however it was told: initiated and settled, or settled at once."""
    return transaction_id("loan.repayment", event.loan_id, event.repayment_id)


def _heading(
    event: _Written | RepaymentReversed | RebateReversed, own_id: str, description: str, event_id: str
) -> _Heading:
    telling_repayment = isinstance(event, RepaymentInitiated | RepaymentSettled)
    event_type = "loan.repayment" if telling_repayment else event.type
    return _Heading(
        transaction_id(event_type, event.loan_id, own_id),
        event_type,
        event.effective_date,
        f"{description} of loan {event.loan_id}",
        {**dict(event.metadata), "loanID": event.loan_id, "event_id": event_id},
    )


def _reverse(original: str, heading: _Heading) -> Reverse:
    return Reverse(
        original,
        heading.external_id,
        midnight(heading.effective_date),
        description=heading.description,
        metadata=heading.metadata,
    )


def _entry(line: Line) -> NewEntry:
    conditions = (_NOT_BELOW_ZERO,) if line.guarded else ()
    return NewEntry(line.account.external_id, line.direction, line.amount, conditions=conditions)


def _posting(heading: _Heading, status: Status, lines: Sequence[Line]) -> Posting:
    transaction = NewTransaction(
        heading.external_id,
        status,
        midnight(heading.effective_date),
        heading.description,
        heading.metadata,
        tuple(_entry(line) for line in lines),
    )
    accounts = {line.account.external_id: line.account for line in lines}
    return Posting((Create(transaction),), tuple(accounts.values()))
