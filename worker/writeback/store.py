"""Sagas, steps, their history, connections and statements in PostgreSQL. Services open the transactions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from worker.codat.platforms import Platform
from worker.codat.profiles import Profile
from worker.database import Connection, query
from worker.jobs.job import NewJob, lane
from worker.writeback.classify import Refusal, Responsible
from worker.writeback.mapping import LenderKind, Mapping
from worker.writeback.movement import NewSaga, movement_document, read_movement
from worker.writeback.plan import Purpose, StepKind
from worker.writeback.situation import (
    KnownConnection,
    Saga,
    SagaKind,
    SagaState,
    Situation,
    Step,
    UnknownCause,
    WaitingFor,
    read_baseline,
)
from worker.writeback.step import StepState

ADVANCE_SAGA: Final = "advance_saga"
"""Kind of the job that drives one saga; its subject is the saga's id."""

_IN_DOUBT: Final = (StepState.SENDING, StepState.PENDING, StepState.UNKNOWN)
"""States in which a step may have written a record nobody knows the id of."""


@dataclass(frozen=True, slots=True)
class NewStep:
    """A planned step with everything that is fixed when it is planned."""

    kind: StepKind
    purpose: Purpose
    reference: str
    amount: int
    mapping_version: int
    compensates: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of a step's history: what was done (``action``), how it ended, and Codat's words if any."""

    at: datetime
    key_generation: int
    action: str
    outcome: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A repayment's saga and its steps that really wrote a record, for its reversal.

    ``in_doubt`` counts its steps that may yet turn out to have written one.
    """

    saga_id: int
    saga_state: SagaState
    in_doubt: int
    mapping_version: int | None
    steps: tuple[tuple[int, StepKind, Purpose, int, int], ...]
    """(step id, kind, purpose, amount, mapping version), in the order they were written."""


async def create_sagas(connection: Connection, sagas: Sequence[NewSaga]) -> list[NewJob]:
    """Store sagas inside the caller's transaction and return the jobs it has to enqueue, in the sagas' order.

    A message that has a saga gets no second one.
    """
    rows = await connection.fetch(
        query("writeback/insert_sagas"),
        [saga.message_id for saga in sagas],
        [saga.event_id for saga in sagas],
        [saga.loan_id for saga in sagas],
        [saga.company_id for saga in sagas],
        [saga.connection_id for saga in sagas],
        [saga.currency for saga in sagas],
        [saga.effective_date for saga in sagas],
        [json.dumps(movement_document(saga.movement)) for saga in sagas],
        [saga.ledger_transaction_id for saga in sagas],
    )
    created = sorted((row["id"], row["loan_id"]) for row in rows)
    return [job_of_saga(saga_id, "writeback", loan_id) for saga_id, loan_id in created]


def job_of_saga(saga_id: int, *lane_name: str) -> NewJob:
    """The one job that drives a saga; sagas in one lane run one after the other."""
    return NewJob(ADVANCE_SAGA, lane(*lane_name), saga_id)


async def insert_mapping_saga(
    connection: Connection, place: tuple[UUID, UUID], currency: str, day: date, version: int
) -> int:
    """The saga that creates one mapping version; ``place`` is (company, connection)."""
    saga_id: int = await connection.fetchval(query("writeback/insert_mapping_saga"), *place, currency, day, version)
    return saga_id


async def wake_sagas(connection: Connection, saga_ids: Sequence[int]) -> None:
    """Let the sagas' jobs look now instead of when they meant to."""
    if saga_ids:
        await connection.execute(query("writeback/wake_sagas"), list(saga_ids))


async def wake_connection(connection: Connection, connection_id: UUID) -> None:
    """Wake every unfinished saga of a connection. All of them: one may be about to say what it waits for."""
    rows = await connection.fetch(query("writeback/unfinished_sagas"), connection_id)
    await wake_sagas(connection, [row["id"] for row in rows])


async def has_job(connection: Connection, saga_id: int, lanes: Sequence[int]) -> bool:
    """Whether the saga's job is still in one of these lanes."""
    has: bool = await connection.fetchval(query("writeback/has_job"), list(lanes), saga_id)
    return has


async def close_dead_letter(connection: Connection, saga_id: int, job_id: int) -> None:
    """A new job does what the saga's buried one left undone."""
    await connection.execute(query("writeback/close_dead_letter"), saga_id, job_id)


async def load_situation(connection: Connection, saga_id: int) -> Situation | None:
    """A saga with all it needs to decide its next turn, or None when there is no such saga."""
    row = await connection.fetchrow(query("writeback/load_saga"), saga_id)
    if row is None:
        return None
    saga = _saga(row)
    steps = tuple(_step(step) for step in await connection.fetch(query("writeback/load_steps"), saga_id))
    versions = sorted({step.mapping_version for step in steps})
    mappings = [
        _mapping(r) for r in await connection.fetch(query("writeback/load_mappings"), saga.connection_id, versions)
    ]
    return Situation(
        saga=saga,
        steps=steps,
        mappings={mapping.version: mapping for mapping in mappings},
        current_mapping=max(mappings, key=lambda mapping: mapping.version, default=None),
    )


async def lock_saga(connection: Connection, saga_id: int) -> SagaState | None:
    """Be the only one to decide about a saga until the transaction ends; None when there is no such saga."""
    state = await connection.fetchval(query("writeback/lock_saga"), saga_id)
    return SagaState(state) if state else None


async def begin_saga(connection: Connection, saga: Saga, mapping_version: int, steps: Sequence[NewStep]) -> bool:
    """Fix a saga's mapping version and plan; False when another replica planned it first."""
    await lock_saga(connection, saga.id)  # a statement of its own, so that the next one sees another replica's plan
    if await connection.fetchval(query("writeback/begin_saga"), saga.id, mapping_version) is None:
        return False
    await connection.execute(
        query("writeback/insert_steps"),
        saga.id,
        saga.currency,
        list(range(1, len(steps) + 1)),
        [step.kind for step in steps],
        [step.purpose for step in steps],
        [step.reference for step in steps],
        [step.amount for step in steps],
        [step.mapping_version for step in steps],
        [step.compensates for step in steps],
    )
    return True


async def set_saga_state(
    connection: Connection,
    saga_id: int,
    state: SagaState,
    waiting_for: WaitingFor | None = None,
    reason: str | None = None,
    stalled_since: datetime | None = None,
) -> None:
    """Show where a saga is; a finished saga stays finished."""
    await connection.execute(query("writeback/set_saga_state"), saga_id, state, waiting_for, reason, stalled_since)


async def note_stall(connection: Connection, saga_id: int, since: datetime) -> None:
    """Remember since when a saga gets nowhere, unless that is known."""
    await connection.execute(query("writeback/note_stall"), saga_id, since)


async def save_step(connection: Connection, step: Step, attempt: Attempt | None = None) -> bool:
    """Store a step's next state over the revision it came from; False when somebody else moved it meanwhile."""
    revision = await connection.fetchval(
        query("writeback/save_step"),
        step.id,
        step.revision,
        step.state,
        step.mapping_version,
        step.key_generation,
        step.idempotency_key,
        step.date,
        step.balance,
        step.path,
        step.body,
        step.first_sent_at,
        step.push_operation_key,
        step.accepted_at,
        step.record_id,
        json.dumps(asdict(step.refusal)) if step.refusal else None,
        step.refused_at,
        step.unknown_since,
        step.unknown_cause,
        step.sync_requested_at,
        json.dumps(step.sync_baseline, default=datetime.isoformat) if step.sync_baseline is not None else None,
        step.syncs_seen,
        step.resend_allowed,
    )
    if revision is None:
        return False
    if attempt:
        await add_attempt(connection, step.id, attempt)
    return True


def saved(step: Step) -> Step:
    """The step as :func:`save_step` left it: the next change is made from the new revision."""
    return replace(step, revision=step.revision + 1)


async def add_attempt(connection: Connection, step_id: int, attempt: Attempt) -> None:
    """Add one line to a step's history."""
    await connection.execute(
        query("writeback/insert_attempt"),
        step_id,
        attempt.at,
        attempt.key_generation,
        attempt.action,
        attempt.outcome,
        attempt.detail,
    )


async def remap_steps(connection: Connection, saga_id: int, mapping_version: int) -> None:
    """Write what was not sent yet with another mapping version."""
    await connection.execute(query("writeback/remap_steps"), saga_id, mapping_version)


async def discard_plan(connection: Connection, saga_id: int) -> None:
    """Forget a plan nothing of which was ever sent, and the mapping version it was made with."""
    await connection.execute(query("writeback/discard_plan"), saga_id)
    await connection.execute(query("writeback/forget_mapping"), saga_id)


async def expire_connection(connection: Connection, connection_id: UUID) -> None:
    """Ask Codat about the connection again before the next step."""
    await connection.execute(query("writeback/expire_connection"), connection_id)


async def allow_resend(connection: Connection, step_id: int) -> None:
    """A person lets a refused or unfindable step be tried again, once it was looked for once more."""
    await connection.execute(query("writeback/allow_resend"), step_id)


async def save_connection(connection: Connection, known: KnownConnection) -> None:
    """Remember what Codat said of a connection."""
    await connection.execute(
        query("writeback/save_connection"),
        known.connection_id,
        known.company_id,
        known.platform,
        known.platform_name,
        known.status,
        known.lock_date,
        known.checked_at,
    )


async def load_connection(connection: Connection, connection_id: UUID) -> KnownConnection | None:
    """What Codat last said of a connection."""
    row = await connection.fetchrow(query("writeback/load_connection"), connection_id)
    return _connection(row) if row else None


async def lock_push_key(connection: Connection, push_operation_key: UUID) -> None:
    """Serialise the webhook and the answer of one push operation until this transaction ends."""
    await connection.execute(query("writeback/lock_push_key"), push_operation_key)


async def note_push_webhook(
    connection: Connection, push_operation_key: UUID, status: str, now: datetime, keep: timedelta
) -> int | None:
    """Keep a webhook's word, forget a few older than ``keep``; the saga it is about, None while no step has the key."""
    await lock_push_key(connection, push_operation_key)
    await connection.execute(query("writeback/note_push_webhook"), push_operation_key, status, now, keep)
    saga_id: int | None = await connection.fetchval(query("writeback/saga_of_push"), push_operation_key)
    return saga_id


async def heard_push_webhook(connection: Connection, push_operation_key: UUID) -> bool:
    """Whether Codat's webhook overtook its own answer."""
    heard: bool = await connection.fetchval(query("writeback/heard_push_webhook"), push_operation_key)
    return heard


async def load_written(connection: Connection, saga: Saga, repayment_id: str) -> Written | None:
    """What the saga of a repayment really wrote; None when the repayment never had a saga."""
    rows = await connection.fetch(query("writeback/written_steps"), saga.loan_id, saga.connection_id, repayment_id)
    if not rows:
        return None
    return Written(
        rows[0]["saga_id"],
        SagaState(rows[0]["saga_state"]),
        sum(row["state"] in _IN_DOUBT for row in rows),
        rows[0]["saga_mapping_version"],
        tuple(
            (r["id"], StepKind(r["kind"]), Purpose(r["purpose"]), r["amount"], r["mapping_version"])
            for r in rows
            if r["state"] == StepState.SUCCEEDED
        ),
    )


async def record_of_step(connection: Connection, step_id: int) -> str | None:
    """The id of the record a step wrote."""
    record_id: str | None = await connection.fetchval(query("writeback/record_of_step"), step_id)
    return record_id


async def claimed_by_others(
    connection: Connection, connection_id: UUID, step_id: int, keys: Sequence[UUID], record_ids: Sequence[str]
) -> tuple[set[UUID], set[str]]:
    """Which of these push operations and records already belong to another step."""
    rows = await connection.fetch(
        query("writeback/claimed_by_others"), connection_id, step_id, list(keys), list(record_ids)
    )
    return (
        {row["push_operation_key"] for row in rows if row["push_operation_key"]},
        {row["record_id"] for row in rows if row["record_id"]},
    )


async def rival_of(connection: Connection, connection_id: UUID, step: Step) -> int | None:
    """The saga of another step that may have written the very record that was found for this one."""
    saga_id: int | None = await connection.fetchval(query("writeback/rival_of"), connection_id, step.id, step.kind)
    return saga_id


def _saga(row: Any) -> Saga:
    return Saga(
        id=row["id"],
        kind=SagaKind(row["kind"]),
        event_id=row["event_id"],
        loan_id=row["loan_id"],
        company_id=row["company_id"],
        connection_id=row["connection_id"],
        currency=row["currency"],
        effective_date=row["effective_date"],
        movement=read_movement(json.loads(row["movement"])) if row["movement"] else None,
        mapping_version=row["mapping_version"],
        state=SagaState(row["state"]),
        waiting_for=WaitingFor(row["waiting_for"]) if row["waiting_for"] else None,
        reason=row["reason"],
        stalled_since=row["stalled_since"],
    )


def _step(row: Any) -> Step:
    values = {name: row[name] for name in Step.__dataclass_fields__}
    refusal = json.loads(row["refusal"]) if row["refusal"] else None
    return Step(
        **values
        | {
            "kind": StepKind(row["kind"]),
            "purpose": Purpose(row["purpose"]),
            "state": StepState(row["state"]),
            "refusal": Refusal(Responsible(refusal["responsible"]), refusal["words"], refusal["field"])
            if refusal
            else None,
            "unknown_cause": UnknownCause(row["unknown_cause"]) if row["unknown_cause"] else None,
            "sync_baseline": read_baseline(json.loads(row["sync_baseline"])) if row["sync_baseline"] else None,
        }
    )


def _mapping(row: Any) -> Mapping:
    values = {name: row[name] for name in Mapping.__dataclass_fields__}
    return Mapping(**values | {"profile": Profile(row["profile"]), "lender_kind": LenderKind(row["lender_kind"])})


def _connection(row: Any) -> KnownConnection:
    values = {name: row[name] for name in KnownConnection.__dataclass_fields__}
    return KnownConnection(**values | {"platform": Platform(row["platform"])})
