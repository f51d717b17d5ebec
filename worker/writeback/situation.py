"""A saga as it stands: the saga, its steps, its mapping and its connection, read together. Pure values.

A step changes only by the methods of :class:`Step`, each of which goes through ``step.transition``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias, TypedDict
from uuid import UUID

from worker.codat.platforms import Platform, Traits, traits_of
from worker.codat.records import RecordKind
from worker.errors import Bug
from worker.writeback.classify import Refusal
from worker.writeback.mapping import Mapping
from worker.writeback.movement import Movement
from worker.writeback.plan import PlannedStep, Purpose, StepKind, idempotency_key
from worker.writeback.step import StepEvent, StepState, transition


class SagaKind(StrEnum):
    """What a saga is about."""

    LOAN = "loan"
    MAPPING = "mapping"


class SagaState(StrEnum):
    """Where a saga is."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    ABANDONED = "abandoned"

    @property
    def is_final(self) -> bool:
        """Nothing more will be written for it."""
        return self in (SagaState.SUCCEEDED, SagaState.ABANDONED)


class WaitingFor(StrEnum):
    """Whose move it is."""

    MAPPING = "mapping"
    CONNECTION = "connection"
    PERSON = "person"
    CODAT = "codat"


class UnknownCause(StrEnum):
    """Why it cannot be told from any answer whether a step was written."""

    SERVER_ERROR = "server_error"
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    TIMED_OUT = "timed_out"
    OPERATION_MISSING = "operation_missing"
    KEY_REUSED = "key_reused"
    REFUSED_REPETITION = "refused_repetition"
    RECORD_MISSING = "record_missing"
    DELETION_REFUSED = "deletion_refused"


RECORD_KINDS: dict[StepKind, RecordKind] = {
    StepKind.TRANSFER: RecordKind.TRANSFER,
    StepKind.DIRECT_COST: RecordKind.DIRECT_COST,
    StepKind.DELETE_DIRECT_COST: RecordKind.DIRECT_COST,
    StepKind.BANK_TRANSACTION: RecordKind.BANK_TRANSACTION,
    StepKind.CREATE_BANK_ACCOUNT: RecordKind.BANK_ACCOUNT,
    StepKind.CREATE_ACCOUNT: RecordKind.ACCOUNT,
    StepKind.CREATE_SUPPLIER: RecordKind.SUPPLIER,
}
"""Codat's data type of each kind of step that is a push operation."""


SyncBaseline: TypeAlias = dict[RecordKind, datetime | None]
"""Codat's own time of the last reading of each kind that was asked for, None for one it had never read."""


def read_baseline(document: dict[str, str | None]) -> SyncBaseline:
    """A baseline as it is stored: moments in ISO 8601."""
    return {RecordKind(kind): datetime.fromisoformat(at) if at else None for kind, at in document.items()}


class _Looking(TypedDict):
    sync_requested_at: datetime | None
    sync_baseline: SyncBaseline | None
    syncs_seen: int
    resend_allowed: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete: what is stored before it leaves and sent again unchanged."""

    path: str
    body: bytes
    date: date
    balance: int | None = None


_NOT_LOOKING: Final[_Looking] = {
    "sync_requested_at": None,
    "sync_baseline": None,
    "syncs_seen": 0,
    "resend_allowed": False,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One record to be written, as stored. ``revision`` fences: a change is saved only over what it was made from."""

    id: int
    saga_id: int
    n: int
    kind: StepKind
    purpose: Purpose
    state: StepState
    reference: str
    amount: int
    currency: str
    mapping_version: int
    compensates: int | None = None
    key_generation: int = 1
    idempotency_key: UUID | None = None
    date: date | None = None
    balance: int | None = None
    path: str | None = None
    body: bytes | None = None
    first_sent_at: datetime | None = None
    push_operation_key: UUID | None = None
    accepted_at: datetime | None = None
    record_id: str | None = None
    refusal: Refusal | None = None
    refused_at: datetime | None = None
    unknown_since: datetime | None = None
    unknown_cause: UnknownCause | None = None
    sync_requested_at: datetime | None = None
    sync_baseline: SyncBaseline | None = None
    syncs_seen: int = 0
    resend_allowed: bool = False
    revision: int = 1

    @property
    def planned(self) -> PlannedStep:
        """The plan this step came from."""
        return PlannedStep(self.kind, self.purpose, self.amount, self.compensates)

    def intended(self, request: Request, now: datetime) -> Step:
        """About to be sent for the first time under its current key generation."""
        return replace(
            self,
            state=transition(self.state, StepEvent.INTENDED),
            idempotency_key=idempotency_key(self.reference, self.key_generation),
            path=request.path,
            body=request.body,
            date=request.date,
            balance=request.balance,
            first_sent_at=now,
        )

    def accepted(self, push_operation_key: UUID, now: datetime) -> Step:
        """Codat has taken it and is not finished."""
        state = transition(self.state, StepEvent.ACCEPTED)
        return replace(self, state=state, push_operation_key=push_operation_key, accepted_at=now)

    def confirmed(self, record_id: str, push_operation_key: UUID | None) -> Step:
        """The push operation says Success."""
        return self._written(StepEvent.CONFIRMED, record_id, push_operation_key)

    def adopted(self, record_id: str, push_operation_key: UUID | None) -> Step:
        """The record was found by looking."""
        return self._written(StepEvent.ADOPTED, record_id, push_operation_key)

    def _written(self, event: StepEvent, record_id: str, push_operation_key: UUID | None) -> Step:
        return replace(
            self,
            state=transition(self.state, event),
            record_id=record_id,
            push_operation_key=push_operation_key or self.push_operation_key,
            refusal=None,
            refused_at=None,
            unknown_since=None,
            unknown_cause=None,
        )

    def refused(self, refusal: Refusal, now: datetime, push_operation_key: UUID | None = None) -> Step:
        """Nothing was written, and this is why."""
        return replace(
            self,
            state=transition(self.state, StepEvent.REFUSED),
            refusal=refusal,
            refused_at=now,
            resend_allowed=False,
            push_operation_key=push_operation_key or self.push_operation_key,
            unknown_since=None,
            unknown_cause=None,
        )

    def lost(self, cause: UnknownCause, now: datetime) -> Step:
        """It can no longer be told without looking."""
        state = transition(self.state, StepEvent.LOST)
        return replace(self, state=state, unknown_since=now, unknown_cause=cause, **_NOT_LOOKING)

    def perhaps_deleted(self, refusal: Refusal, now: datetime) -> Step:
        """Its deletion was refused, which is also what becomes of one whose record is gone; the books will tell."""
        return replace(self.lost(UnknownCause.DELETION_REFUSED, now), refusal=refusal)

    def asking_for_sync(self, baseline: SyncBaseline, now: datetime) -> Step:
        """Waiting for Codat to read the books; ``baseline`` holds the kinds that were asked for."""
        return replace(self, sync_requested_at=now, sync_baseline=baseline)

    def doubted_again(self, now: datetime) -> Step:
        """Its refusal is no longer believed, and a person asked for it: looked for, and sent again if it is absent."""
        return replace(self.lost(UnknownCause.TIMED_OUT, now), resend_allowed=True)

    def seen_synced(self) -> Step:
        """The books were read once more and looked through."""
        return replace(self, sync_requested_at=None, sync_baseline=None, syncs_seen=self.syncs_seen + 1)

    def looking_anew(self) -> Step:
        """The next look starts from the beginning."""
        return replace(self, sync_requested_at=None, sync_baseline=None, syncs_seen=0)

    def proven_absent(self) -> Step:
        """Looked for everywhere and not there: planned again under a new key generation."""
        return self._planned_again(StepEvent.PROVEN_ABSENT)

    def retried(self) -> Step:
        """Refused before, and allowed to try again under a new key generation."""
        return self._planned_again(StepEvent.RETRIED)

    def _planned_again(self, event: StepEvent) -> Step:
        return replace(
            self,
            state=transition(self.state, event),
            key_generation=self.key_generation + 1,
            idempotency_key=None,
            path=None,
            body=None,
            date=None,
            balance=None,
            first_sent_at=None,
            push_operation_key=None,
            accepted_at=None,
            unknown_since=None,
            unknown_cause=None,
            **_NOT_LOOKING,
        )


@dataclass(frozen=True, slots=True)
class Saga:
    """One movement of money on its way into a borrower's books, or one mapping being created."""

    id: int
    kind: SagaKind
    event_id: str | None
    loan_id: str | None
    company_id: UUID
    connection_id: UUID
    currency: str
    effective_date: date
    movement: Movement | None
    mapping_version: int | None
    state: SagaState
    waiting_for: WaitingFor | None
    reason: str | None
    stalled_since: datetime | None
    """Since when it gets nowhere though it should within moments; None while it moves."""

    @property
    def is_held_up(self) -> bool:
        """It is shown as waiting, or soon would be."""
        return self.state is SagaState.WAITING or self.stalled_since is not None


@dataclass(frozen=True, slots=True)
class KnownConnection:
    """What Codat last said of a connection. ``status`` is Codat's word, or ``Missing`` for a 404."""

    connection_id: UUID
    company_id: UUID
    platform: Platform
    platform_name: str
    status: str
    lock_date: date | None
    checked_at: datetime | None

    @property
    def traits(self) -> Traits:
        """The platform's write rules."""
        return traits_of(self.platform)

    def is_fresh(self, now: datetime, longest: timedelta) -> bool:
        """Whether this is still believed; None for ``checked_at`` means that somebody said it has changed."""
        return self.checked_at is not None and now - self.checked_at < longest

    @property
    def is_linked(self) -> bool:
        """Only a linked connection takes writes."""
        return self.status == "Linked"


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything one turn of a saga decides from. ``current_mapping`` is the newest ready version."""

    saga: Saga
    steps: tuple[Step, ...]
    mappings: dict[int, Mapping]
    current_mapping: Mapping | None

    @property
    def step(self) -> Step | None:
        """The first step that is not finished: steps go strictly one after the other."""
        return next((step for step in self.steps if step.state is not StepState.SUCCEEDED), None)

    def connection_of(self, step: Step) -> UUID:
        """Where the step's request goes: some platforms take statement lines through a connection of their own."""
        mapping = self.mappings.get(step.mapping_version)
        is_line = mapping is not None and step.kind is StepKind.BANK_TRANSACTION
        return mapping.feed_connection_id if mapping and is_line else self.saga.connection_id

    def mapping_of(self, step: Step) -> Mapping:
        """The version this step is written with; raises :class:`~worker.errors.Bug` when it is not known."""
        try:
            return self.mappings[step.mapping_version]
        except KeyError:
            raise Bug(f"step {step.id} names mapping version {step.mapping_version}, which is not ready") from None
