"""What an applied event writes into the lender's ledger (contract, section 5), and into the borrower's books. Pure.

Investors' shares of interest are rounded half-even to the minor unit and revenue takes the residual, so every
transaction balances. An entry of zero is left out, and a transaction without entries is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, assert_never

from worker.ledger import accounts
from worker.ledger.transaction import (
    AccountSpec,
    Archive,
    Create,
    Direction,
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
    ExpenseIncurred,
    FeeCharged,
    FeeWaived,
    InterestAccrued,
    LoanClosed,
    LoanCreated,
    LoanDisbursed,
    LoanRecovered,
    LoanRefunded,
    LoanWrittenOff,
    RepaymentFailed,
    RepaymentInitiated,
    RepaymentReversed,
    RepaymentSettled,
)
from worker.loans.facts import AboutLoan
from worker.loans.loan import Amounts, Fact, FactState, Loan
from worker.money import Money, share
from worker.writeback.movement import Drawdown, Movement, Refund, Repayment, RepaymentReversal

LEDGER_NAME: Final = "Loans"
"""The one ledger all of this lender's loans, investors and operating accounts are kept in."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Operations for the ledger in order, and every account they, or the event itself, need to exist."""

    operations: tuple[Operation, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    account: AccountSpec
    direction: Direction
    amount: int


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
        return {"transactionType": self.event_type, **self.about}


def post_for_loan(loan: Loan, before: Fact | None, event: AboutLoan, event_id: str) -> Posting:
    """The ledger's part of an event of a loan; ``before`` is its fact as it stood until now."""
    match event:
        case LoanCreated():
            return Posting(accounts=_LoanAccounts(loan).owed)
        case LoanClosed():
            return Posting()
        case RepaymentSettled():
            return _settle(loan, before, event, event_id)
        case RepaymentFailed():
            return Posting((Archive(_repayment_id(event), f"failed: {event.reason}"),))
        case RepaymentReversed():
            heading = _heading(event, event.repayment_id, f"Reversal of repayment {event.repayment_id}", event_id)
            return Posting((_reverse(_repayment_id(event), heading),))
        case _:
            heading = _heading(event, *_identity(event, event_id), event_id)
            status = Status.PENDING if isinstance(event, RepaymentInitiated) else Status.POSTED
            return _write(heading, status, _lines(loan, event))


def post_for_investor(event: CapitalEvent, event_id: str) -> Posting:
    """The ledger's part of an event of an investor."""
    cash = accounts.cash(event.currency)
    principal_due = accounts.investor_principal_due(event.investor_id, event.currency)
    interest_due = accounts.investor_interest_due(event.investor_id, event.currency)
    match event:
        case CapitalContributed():
            description = f"Capital contributed by {event.investor_id}"
            lines = [_debit(cash, event.amount), _credit(principal_due, event.amount)]
        case CapitalDistributed():
            description = f"Capital distributed to {event.investor_id}"
            lines = [
                _debit(principal_due, event.principal),
                _debit(interest_due, event.interest),
                _credit(cash, event.principal + event.interest),
            ]
        case _:
            assert_never(event)
    external_id = transaction_id(event.type, event.investor_id, event_id)
    about = {"investorID": event.investor_id, "event_id": event_id}
    heading = _Heading(external_id, event.type, event.effective_date, description, about)
    return _write(heading, Status.POSTED, lines)


def post_expense(event: ExpenseIncurred, event_id: str) -> Posting:
    """The ledger's part of an expense that belongs to no loan."""
    external_id = transaction_id(event.type, event_id)
    description = f"Expense: {event.kind}"
    heading = _Heading(external_id, event.type, event.effective_date, description, {"event_id": event_id})
    cash, expenses = accounts.cash(event.currency), accounts.expenses(event.currency)
    return _write(heading, Status.POSTED, [_debit(expenses, event.amount), _credit(cash, event.amount)])


def interest_shares(loan: Loan, interest: int) -> list[tuple[str, int]]:
    """What of recognised ``interest`` each of the loan's investors earns; the rest is the lender's revenue."""
    parts, _ = share(Money(interest, loan.currency), [investor.share for investor in loan.investors])
    return [(investor.investor_id, part.minor) for investor, part in zip(loan.investors, parts, strict=True)]


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


class _LoanAccounts:
    """The accounts one loan's events write to."""

    def __init__(self, loan: Loan) -> None:
        self.principal = accounts.loan_principal(loan.loan_id, loan.borrower_id, loan.currency)
        self.interest = accounts.loan_interest(loan.loan_id, loan.borrower_id, loan.currency)
        self.fees = accounts.loan_fees(loan.loan_id, loan.borrower_id, loan.currency)
        self.payable = accounts.borrower_payable(loan.loan_id, loan.borrower_id, loan.currency)
        self.cash = accounts.cash(loan.currency)
        self.charge_off = accounts.charge_off(loan.currency)
        self.revenue_from_fees = accounts.revenue_from_fees(loan.currency)

    @property
    def owed(self) -> tuple[AccountSpec, ...]:
        """What the borrower owes, in the three accounts every loan has from its creation on."""
        return (self.principal, self.interest, self.fees)

    def paid_off(self, amounts: Amounts) -> list[_Line]:
        """What a payment is credited to."""
        return [
            _credit(self.principal, amounts.principal),
            _credit(self.interest, amounts.interest),
            _credit(self.fees, amounts.fees),
            _credit(self.payable, amounts.overpayment),
        ]


_Written = (
    LoanDisbursed
    | InterestAccrued
    | FeeCharged
    | FeeWaived
    | RepaymentInitiated
    | LoanRefunded
    | LoanWrittenOff
    | LoanRecovered
)


def _lines(loan: Loan, event: _Written) -> list[_Line]:
    its = _LoanAccounts(loan)
    match event:
        case LoanDisbursed():
            return [
                _debit(its.principal, event.amount),
                _debit(its.interest, event.interest),
                _credit(its.cash, event.amount - event.fee),
                _credit(its.revenue_from_fees, event.fee),
                *_earned(loan, event.interest),
            ]
        case InterestAccrued():
            return [_debit(its.interest, event.amount), *_earned(loan, event.amount)]
        case FeeCharged():
            return [_debit(its.fees, event.amount), _credit(its.revenue_from_fees, event.amount)]
        case FeeWaived():
            return [_debit(its.revenue_from_fees, event.amount), _credit(its.fees, event.amount)]
        case RepaymentInitiated():
            return _repayment_lines(loan, Amounts(event.principal, event.interest, event.fees))
        case LoanRefunded():
            return [_debit(its.payable, event.amount), _credit(its.cash, event.amount)]
        case LoanWrittenOff():
            given_up = Amounts(event.principal, event.interest, event.fees)
            return [_debit(its.charge_off, given_up.total), *its.paid_off(given_up)]
        case LoanRecovered():
            return [_debit(its.cash, event.amount), _credit(its.charge_off, event.amount)]
        case _:
            assert_never(event)


def _identity(event: _Written, event_id: str) -> tuple[str, str]:
    """The event's own id, and what a description calls it."""
    match event:
        case LoanDisbursed():
            return event.drawdown_id, f"Drawdown {event.drawdown_id}"
        case InterestAccrued():
            return event.accrual_id, f"Interest accrual {event.accrual_id}"
        case FeeCharged():
            return event.fee_id, f"Fee {event.fee_id} ({event.kind})"
        case FeeWaived():
            return event.fee_id, f"Waiver of fee {event.fee_id} ({event.kind})"
        case RepaymentInitiated():
            return event.repayment_id, f"Repayment {event.repayment_id}"
        case LoanRefunded():
            return event.refund_id, f"Refund {event.refund_id}"
        case LoanWrittenOff():
            return event_id, "Write-off"
        case LoanRecovered():
            return event_id, "Recovery"
        case _:
            assert_never(event)


def _settle(loan: Loan, before: Fact | None, event: RepaymentSettled, event_id: str) -> Posting:
    external_id = _repayment_id(event)
    amounts = Amounts(event.principal, event.interest, event.fees, event.overpayment)
    pending = before if before and before.state is FactState.PENDING else None
    if pending and pending.amounts == amounts:
        return Posting((Post(external_id, event.effective_date),))
    heading = _heading(event, event.repayment_id, f"Repayment {event.repayment_id}", event_id)
    written = _write(heading, Status.POSTED, _repayment_lines(loan, amounts))
    if not pending:
        return written
    superseded = Archive(external_id, "superseded: settled with another split")
    return Posting((superseded, *written.operations), written.accounts)


def _repayment_lines(loan: Loan, amounts: Amounts) -> list[_Line]:
    its = _LoanAccounts(loan)
    return [_debit(its.cash, amounts.total), *its.paid_off(amounts)]


def _earned(loan: Loan, interest: int) -> list[_Line]:
    shares = interest_shares(loan, interest)
    residual = interest - sum(part for _, part in shares)
    due = [_credit(accounts.investor_interest_due(investor_id, loan.currency), part) for investor_id, part in shares]
    return [*due, _credit(accounts.revenue_from_interest(loan.currency), residual)]


_AboutRepayment = RepaymentInitiated | RepaymentSettled | RepaymentFailed | RepaymentReversed


def _repayment_id(event: _AboutRepayment) -> str:
    """One external id for a repayment however it was told: initiated and settled, or settled at once."""
    return transaction_id("loan.repayment", event.loan_id, event.repayment_id)


def _heading(
    event: _Written | RepaymentSettled | RepaymentReversed, own_id: str, description: str, event_id: str
) -> _Heading:
    telling_repayment = isinstance(event, RepaymentInitiated | RepaymentSettled)
    event_type = "loan.repayment" if telling_repayment else event.type
    return _Heading(
        transaction_id(event_type, event.loan_id, own_id),
        event_type,
        event.effective_date,
        f"{description} of loan {event.loan_id}",
        {"loanID": event.loan_id, "event_id": event_id},
    )


def _reverse(original: str, heading: _Heading) -> Reverse:
    return Reverse(original, heading.external_id, heading.effective_date, heading.description, heading.metadata)


def _write(heading: _Heading, status: Status, lines: Iterable[_Line]) -> Posting:
    kept = [line for line in lines if line.amount]
    transaction = NewTransaction(
        heading.external_id,
        status,
        heading.effective_date,
        heading.description,
        heading.metadata,
        tuple(NewEntry(line.account.external_id, line.direction, line.amount) for line in kept),
    )
    return Posting((Create(transaction),), _accounts_of(kept))


def _accounts_of(lines: Sequence[_Line]) -> tuple[AccountSpec, ...]:
    return tuple({line.account.external_id: line.account for line in lines}.values())


def _debit(account: AccountSpec, amount: int) -> _Line:
    return _Line(account, Direction.DEBIT, amount)


def _credit(account: AccountSpec, amount: int) -> _Line:
    return _Line(account, Direction.CREDIT, amount)
