"""What is shown: rows that belong to several stations, read together. Pure values; amounts are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar
from uuid import UUID

from worker.ledger.reading import AccountFilter
from worker.writeback.classify import Refusal
from worker.writeback.movement import Movement
from worker.writeback.plan import Purpose, StepKind
from worker.writeback.situation import SagaKind, SagaState, UnknownCause, WaitingFor
from worker.writeback.step import StepState

DEFAULT_LIMIT: Final = 50
"""Rows of a page when nobody says: what a person scrolls through."""

MAX_LIMIT: Final = 200
"""Rows of a page at most: still one quick statement and a small answer."""

Row = TypeVar("Row")
Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class Page(Generic[Key]):
    """Which part of a list: at most ``limit`` rows that follow the row whose key is ``after``."""

    after: Key | None = None
    limit: int = DEFAULT_LIMIT

    @property
    def and_one_more(self) -> int:
        """How many to look for in order to know whether another page follows."""
        return self.limit + 1

    def cut(self, keys: Sequence[Key]) -> tuple[list[Key], Key | None]:
        """This page of the keys that were found, and what the next page comes after (None on the last)."""
        page = list(keys[: self.limit])
        return page, page[-1] if len(keys) > self.limit else None


class EventState(StrEnum):
    """Where a loan event stands."""

    QUEUED = "queued"
    HELD = "held"
    APPLIED = "applied"
    REFUSED = "refused"
    """It can never be right as it is: a dead letter that names the field."""
    DEAD_LETTER = "dead_letter"
    """It was given up for another reason, such as a fault of this program."""
    CORRECTED = "corrected"
    """It was one of these two, and a person sent another in its place."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; ``None`` leaves a condition out."""

    loan_id: str | None = None
    state: EventState | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A loan event with what became of it. ``id`` is the inbox message's.

    ``corrects`` and ``corrected_by`` are webhook ids: of the event it was sent in place of, and of the one sent in its.
    """

    id: int
    webhook_id: str
    type: str
    loan_id: str | None
    received_at: datetime
    state: EventState
    reason: str | None
    field: str | None
    needs: tuple[str, ...]
    held_since: datetime | None
    decided_at: datetime | None
    ledger_transaction_id: UUID | None
    saga_id: int | None
    dead_letter_id: int | None
    corrects: str | None
    corrected_by: str | None


@dataclass(frozen=True, slots=True)
class SagaFilter:
    """Which sagas to list; ``None`` leaves a condition out."""

    loan_id: str | None = None
    state: SagaState | None = None
    waiting_for: WaitingFor | None = None


@dataclass(frozen=True, slots=True)
class Saga:
    """A saga with how far it has come."""

    id: int
    kind: SagaKind
    event_id: str | None
    loan_id: str | None
    company_id: UUID
    connection_id: UUID
    currency: str
    effective_date: date
    movement: Movement | None
    ledger_transaction_id: UUID | None
    mapping_version: int | None
    state: SagaState
    waiting_for: WaitingFor | None
    reason: str | None
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None
    steps_total: int
    steps_succeeded: int


@dataclass(frozen=True, slots=True)
class StepAttempt:
    """One line of a step's history: what was done, how it ended, and Codat's words if any."""

    step_id: int
    at: datetime
    key_generation: int
    action: str
    outcome: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One record of a saga, without its body. ``amount`` is its effect on the lender's account."""

    id: int
    n: int
    kind: StepKind
    purpose: Purpose
    state: StepState
    reference: str
    amount: int
    currency: str
    date: date | None
    mapping_version: int
    compensates: int | None
    key_generation: int
    idempotency_key: UUID | None
    first_sent_at: datetime | None
    push_operation_key: UUID | None
    record_id: str | None
    refusal: Refusal | None
    unknown_since: datetime | None
    unknown_cause: UnknownCause | None


class JobCondition(StrEnum):
    """Where an unfinished job stands."""

    READY = "ready"
    RUNNING = "running"
    BLOCKED = "blocked"
    """Behind the oldest unfinished job of its lane."""
    DELAYED = "delayed"
    """Until a moment, or until it is woken."""
    PARKED = "parked"
    """Until it is woken."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; ``None`` leaves a condition out."""

    kind: str | None = None
    state: JobCondition | None = None


@dataclass(frozen=True, slots=True)
class JobAbout:
    """What a job works on: the webhook it acts on or delivers a posting of, or the saga it drives, and their loan."""

    event_id: str | None
    saga_id: int | None
    loan_id: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """An unfinished job. ``blocked_by`` is the oldest unfinished job of its lane, ``worker`` the process's name."""

    id: int
    kind: str
    about: JobAbout
    state: JobCondition
    attempt: int
    run_at: datetime | None
    created_at: datetime
    reason: str | None
    blocked_by: int | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which open dead letters to list; ``None`` leaves a condition out."""

    kind: str | None = None
    loan_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up, and the job that replays it, if a person asked for one."""

    id: int
    job_id: int
    kind: str
    about: JobAbout
    attempt: int
    created_at: datetime
    reason_class: str
    reason: str
    buried_at: datetime
    replayed_at: datetime | None
    replayed_job_id: int | None


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """One attempt of a job that did not succeed; ``outcome`` is failed, crashed or buried."""

    job_id: int
    attempt: int
    at: datetime
    outcome: str
    error: str


@dataclass(frozen=True, slots=True)
class Party:
    """Whom accounts of the ledger are kept for: a ``noun``, a name, and which accounts they are."""

    noun: str
    name: str
    accounts: AccountFilter

    @classmethod
    def loan(cls, loan_id: str) -> Party:
        """A loan."""
        return cls("loan", loan_id, AccountFilter.of_loan(loan_id))

    @classmethod
    def investor(cls, investor_id: str) -> Party:
        """An investor."""
        return cls("investor", investor_id, AccountFilter.of_investor(investor_id))
