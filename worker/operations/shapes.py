"""The JSON of ``/v1`` as types. Pure.

What is rendered is checked against these types, and ``/openapi.json`` is made of them.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeAlias, TypedDict, TypeVar

from worker.json_types import Day, Id, Moment
from worker.ledger.transaction import Direction, Status
from worker.loans.events import InterestRecognition
from worker.operations.views import EventState, JobCondition
from worker.writeback.classify import Responsible
from worker.writeback.plan import Purpose, StepKind
from worker.writeback.situation import SagaKind, SagaState, UnknownCause, WaitingFor
from worker.writeback.step import StepState

Money: TypeAlias = Annotated[str, ("pattern", r"^-?[0-9]+(\.[0-9]+)?$"), ("description", "Exact major units.")]

Item = TypeVar("Item")


class Listed(TypedDict, Generic[Item]):
    """One page of a list; ``next`` is the ``after`` of the page that follows, null on the last."""

    data: list[Item]
    next: str | None


class RecordedEvent(TypedDict):
    """A loan event and what became of it."""

    webhook_id: str
    type: str
    loan_id: str | None
    received_at: Moment
    state: EventState
    reason: str | None
    field: str | None
    needs: list[str]
    held_since: Moment | None
    decided_at: Moment | None
    ledger_transaction_id: Id | None
    saga_id: int | None
    dead_letter_id: int | None
    corrects: str | None
    corrected_by: str | None


class RecordedEventWithBody(RecordedEvent):
    """The same with its body, exactly as it was signed."""

    body: str


class Split(TypedDict):
    """An amount by what it is for."""

    principal: Money
    interest: Money
    fees: Money
    overpayment: Money


class InvestorShare(TypedDict):
    """An investor's part in a loan, a decimal between 0 and 1."""

    investor_id: str
    share: str


class LoanTotals(TypedDict):
    """Everything that was ever told of a loan; what is repaid is net of what is reversed."""

    disbursed: Money
    interest_recognised: Money
    interest_rebated: Money
    fees_charged: Money
    fees_waived: Money
    repaid: Split
    reversed: Split
    refunded: Money
    written_off: Split
    recovered: Money


LoanStatus: TypeAlias = Literal["agreed", "active", "settled", "closed"]
"""Before anything was paid out; while something is outstanding; when nothing is; when the lender said so."""


class LoanObject(TypedDict):
    """A loan's terms, totals and what is outstanding."""

    loan_id: str
    borrower_id: str
    company_id: Id
    connection_id: Id
    currency: str
    interest_recognition: InterestRecognition
    investors: list[InvestorShare]
    status: LoanStatus
    closed_on: Day | None
    outstanding: Split
    totals: LoanTotals
    pending_repayments: int


class DrawdownMovement(TypedDict):
    """Money lent, of which a fee may have been kept back."""

    type: Literal["drawdown"]
    drawdown_id: str
    amount: Money
    fee: Money


class RepaymentMovement(TypedDict):
    """Money paid back."""

    type: Literal["repayment"]
    repayment_id: str
    principal: Money
    interest: Money
    fees: Money
    overpayment: Money


class ReversalMovement(TypedDict):
    """A repayment that bounced after it had settled."""

    type: Literal["repayment_reversal"]
    repayment_id: str
    reason: str


class RefundMovement(TypedDict):
    """An overpayment handed back."""

    type: Literal["refund"]
    refund_id: str
    amount: Money


MovementObject: TypeAlias = DrawdownMovement | RepaymentMovement | ReversalMovement | RefundMovement


class SagaObject(TypedDict):
    """What one loan event needs in the borrower's books, and how far that has come."""

    saga_id: int
    kind: SagaKind
    summary: str
    event_id: str | None
    loan_id: str | None
    state: SagaState
    waiting_for: WaitingFor | None
    reason: str | None
    steps_succeeded: int
    steps_total: int
    company_id: Id
    connection_id: Id
    currency: str
    effective_date: Day
    movement: MovementObject | None
    mapping_version: int | None
    ledger_transaction_id: Id | None
    created_at: Moment
    changed_at: Moment
    finished_at: Moment | None


class LoanWithSagas(LoanObject):
    """A loan with its newest held events and sagas."""

    held_events: list[RecordedEvent]
    sagas: list[SagaObject]


class RefusalObject(TypedDict):
    """Why a platform refused a record, in plain words."""

    responsible: Responsible
    words: str
    field: str | None


class StepAttemptObject(TypedDict):
    """One line of a step's history."""

    at: Moment
    key_generation: int
    action: str
    outcome: str
    detail: str | None


class StepObject(TypedDict):
    """One record of a saga; its amount is its effect on the lender's account."""

    step_id: int
    n: int
    kind: StepKind
    purpose: Purpose
    state: StepState
    reference: str
    amount: Money
    currency: str
    date: Day | None
    mapping_version: int
    compensates: int | None
    key_generation: int
    idempotency_key: Id | None
    first_sent_at: Moment | None
    push_operation_key: Id | None
    record_id: str | None
    refusal: RefusalObject | None
    unknown_since: Moment | None
    unknown_cause: UnknownCause | None
    attempts: list[StepAttemptObject]


class SagaWithSteps(SagaObject):
    """A saga with its steps, each with its history."""

    steps: list[StepObject]


class JobAttemptObject(TypedDict):
    """One attempt of a job that did not succeed."""

    job_id: int
    attempt: int
    at: Moment
    outcome: str
    error: str


class JobObject(TypedDict):
    """An unfinished job, and what it works on."""

    job_id: int
    event_id: str | None
    saga_id: int | None
    loan_id: str | None
    kind: str
    state: JobCondition
    attempt: int
    run_at: Moment | None
    created_at: Moment
    reason: str | None
    blocked_by: int | None
    worker: str | None


class JobWithAttempts(JobObject):
    """The same with its failed attempts."""

    attempts: list[JobAttemptObject]


class DeadLetterObject(TypedDict):
    """A job that was given up, and the job that replays it, if a person asked for one."""

    dead_letter_id: int
    event_id: str | None
    saga_id: int | None
    loan_id: str | None
    job_id: int
    kind: str
    attempt: int
    created_at: Moment
    reason_class: str
    reason: str
    buried_at: Moment
    replayed_at: Moment | None
    replayed_job_id: int | None


class DeadLetterWithAttempts(DeadLetterObject):
    """The same with the failed attempts of its job."""

    attempts: list[JobAttemptObject]


class TrialBalanceAccount(TypedDict):
    """An account that is not zero, on the side it stands on."""

    ledger_account_id: Id
    external_id: str | None
    name: str
    currency: str
    currency_exponent: int
    debit: Money
    credit: Money
    pending: Money


class TrialBalanceTotal(TypedDict):
    """What the accounts of a currency come to."""

    currency: str
    currency_exponent: int
    debit: Money
    credit: Money


class TrialBalanceDifference(TypedDict):
    """By how much the debits of a currency exceed its credits."""

    currency: str
    currency_exponent: int
    difference: Money


class DatedApart(TypedDict):
    """Why totals differ: posted transactions with entries effective up to the day and others after it.

    Their number is null when there was no time to count them.
    """

    transactions: int | None
    differences: list[TrialBalanceDifference]


class TrialBalance(TypedDict):
    """Every account that is not zero, now or at the end of a day, and each currency's totals.

    Where the totals of a whole ledger differ, ``dated_apart`` says why.
    """

    as_of: Day | None
    accounts: list[TrialBalanceAccount]
    totals: list[TrialBalanceTotal]
    dated_apart: DatedApart | None


class StatementEntry(TypedDict):
    """An entry; the balance after it is of what is posted."""

    effective_date: Day
    description: str | None
    external_id: str | None
    ledger_transaction_id: Id
    status: Status
    debit: Money | None
    credit: Money | None
    balance: Money


_Period = TypedDict("_Period", {"from": Day, "to": Day})
"""Both days included; one of its names is no word a class could use."""


class AccountStatement(_Period):
    """An account over a period: where it began, every entry, where it ended."""

    ledger_account_id: Id
    external_id: str | None
    name: str
    normal_balance: Direction
    currency: str
    currency_exponent: int
    opening_balance: Money
    lines: list[StatementEntry]
    total_debit: Money
    total_credit: Money
    closing_balance: Money


class AccountStatements(TypedDict):
    """Several accounts over the same period."""

    statements: list[AccountStatement]
