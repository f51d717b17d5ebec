"""Following a pending step to its end, and a refused one until somebody has acted. Only what is read is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from typing import Final, assert_never

from worker.codat.payloads import bank_transaction_id
from worker.codat.push_operation import PushOperation, PushStatus
from worker.codat.replies import Found, NotFound
from worker.errors import Bug
from worker.jobs.job import Outcome, Snooze
from worker.writeback import store
from worker.writeback.classify import Refusal, Responsible, classify
from worker.writeback.connections import read_connection
from worker.writeback.desk import Desk, Pause, log_change, record_change
from worker.writeback.plan import StepKind
from worker.writeback.preflight import Hold, usable_connection, usable_mapping
from worker.writeback.situation import RECORD_KINDS, Situation, Step, UnknownCause, WaitingFor
from worker.writeback.step import StepState
from worker.writeback.timings import growing

MOST_GENERATIONS: Final = 5
"""Keys a step may use up by itself; a platform that is still "temporarily" unwilling then is a person's concern."""


async def follow(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """Read a pending step's push operation and record what it says."""
    if step.push_operation_key is None or step.accepted_at is None:
        raise Bug(f"step {step.id} is pending without a push operation")
    reply = await desk.codat.get_push_operation(situation.saga.company_id, step.push_operation_key)
    match reply:
        case Found(operation):
            if operation.status is not PushStatus.PENDING:
                await conclude(desk, step, operation)
                return None
            return await _not_finished(desk, situation, operation, desk.clock() - step.accepted_at)
        case NotFound(error):
            lost = step.lost(UnknownCause.OPERATION_MISSING, desk.clock())
            await desk.record(step, lost, "poll", "404", error.message)
            return None
        case _:
            return await desk.unread(situation.saga, reply)


async def _not_finished(desk: Desk, situation: Situation, operation: PushOperation, age: timedelta) -> Outcome:
    """Look again later; what takes long is shown, and a person may say where its record is or give it up."""
    delay = growing(age, first=desk.timings.poll_first, longest=desk.timings.poll_longest)
    if age >= desk.timings.pending_patience:
        words = f"Codat has not finished push operation {operation.key} yet"
        return await desk.wait(situation.saga, WaitingFor.CODAT, words, recheck=delay)
    await desk.carry_on(situation.saga)
    return Snooze(delay)


async def conclude(desk: Desk, step: Step, operation: PushOperation) -> None:
    """Record what a push operation that was read has come to; a pending one changes nothing."""
    now = desk.clock()
    match operation.status:
        case PushStatus.SUCCESS:
            record_id = written_record(step, operation)
            if record_id is not None:
                confirmed = step.confirmed(record_id, operation.key)
                await desk.record(step, confirmed, "poll", operation.status, record_id)
            elif step.state is StepState.PENDING:
                await desk.record(step, step.lost(UnknownCause.RECORD_MISSING, now), "poll", "Success without a record")
        case PushStatus.FAILED:
            refusal = classify(operation.errors, operation.error_message)
            if step.state is StepState.PENDING and may_be_deleted_already(step, operation):
                after = step.perhaps_deleted(refusal, now)
            else:
                after = step.refused(refusal, now, operation.key)
            await desk.record(step, after, "poll", operation.status, refusal.words)
        case PushStatus.TIMED_OUT:
            if step.state is StepState.PENDING:
                await desk.record(step, step.lost(UnknownCause.TIMED_OUT, now), "poll", operation.status)
        case PushStatus.PENDING:
            pass
        case _:
            assert_never(operation.status)


def may_be_deleted_already(step: Step, operation: PushOperation) -> bool:
    """Whether a deletion was refused in words that need not mean more than that its record is gone.

    How platforms say so is not specified, so every refusal that blames the request itself is doubted.
    """
    if step.kind is not StepKind.DELETE_DIRECT_COST or operation.status is not PushStatus.FAILED:
        return False
    refusal = classify(operation.errors, operation.error_message)
    return refusal.responsible in (Responsible.PERSON, Responsible.MAPPING)


def written_record(step: Step, operation: PushOperation) -> str | None:
    """The id of the record a successful push operation wrote for this step, if it says so."""
    kind = RECORD_KINDS[step.kind]
    if step.kind is StepKind.DELETE_DIRECT_COST:
        record = operation.deleted_record(kind)
        return record.id if record else f"deleted:{operation.key}"
    if step.kind is StepKind.BANK_TRANSACTION:
        # One line is sent at a time under an id of our own; what Codat calls the record varies by platform.
        return bank_transaction_id(step.reference)
    record = operation.created_record(kind)
    return record.id if record else None


async def reconsider(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """A refused step: try again when its cause may be gone, otherwise show whose move it is."""
    if step.refusal is None or step.refused_at is None:
        raise Bug(f"step {step.id} failed without a reason")
    read = await _read_again(desk, situation, step)
    if isinstance(read, Pause):
        return read.outcome
    if read is Reading.CHANGED:
        return None
    if step.resend_allowed:
        await _retry(desk, step, "a person asked for it")
        return None
    match step.refusal.responsible:
        case Responsible.PERSON:
            return await desk.wait(situation.saga, WaitingFor.PERSON, step.refusal.words)
        case Responsible.MAPPING:
            return await _await_mapping(desk, situation, step, step.refusal)
        case Responsible.CONNECTION:
            return await _await_connection(desk, situation, step, step.refusal)
        case Responsible.CODAT:
            due = step.refused_at + desk.timings.codat_recheck - desk.clock()
            if due.total_seconds() > 0:
                return await desk.wait(situation.saga, WaitingFor.CODAT, step.refusal.words, recheck=due)
            await _retry(desk, step, "Codat may accept it now")
            return None
        case Responsible.NOBODY:
            return await _retry_later(desk, situation, step, step.refusal)
        case _:
            assert_never(step.refusal.responsible)


class Reading(Enum):
    """What reading a refused step's push operation once more has shown."""

    STILL_REFUSED = auto()
    CHANGED = auto()


_SUCCESS_WITHOUT_RECORD: Final = (
    "Codat had refused it and now says that it was written, but names no record; look in the books: if it is there, "
    "give the saga up and enter the rest by hand, otherwise retry to send it again"
)


async def _read_again(desk: Desk, situation: Situation, step: Step) -> Reading | Pause:
    # Webhooks may contradict each other and operations have been seen to change: no new key before another look.
    if step.push_operation_key is None:
        return Reading.STILL_REFUSED
    reply = await desk.codat.get_push_operation(situation.saga.company_id, step.push_operation_key)
    match reply:
        case Found(operation) if operation.status is PushStatus.SUCCESS and written_record(step, operation) is not None:
            await conclude(desk, step, operation)
            return Reading.CHANGED
        case Found(operation) if operation.status is PushStatus.SUCCESS and step.resend_allowed:
            return Reading.STILL_REFUSED
        case Found(operation) if operation.status is PushStatus.SUCCESS:
            return Pause(await desk.wait(situation.saga, WaitingFor.PERSON, _SUCCESS_WITHOUT_RECORD))
        case Found(operation) if operation.status is PushStatus.TIMED_OUT and step.resend_allowed:
            await desk.record(step, step.doubted_again(desk.clock()), "poll", operation.status, "it had been refused")
            return Reading.CHANGED
        case Found(operation) if operation.status is not PushStatus.FAILED:
            age = desk.clock() - step.refused_at if step.refused_at else timedelta(0)
            delay = growing(age, first=desk.timings.poll_first, longest=desk.timings.poll_longest)
            words = f"Codat had refused push operation {operation.key} and now calls it {operation.status}"
            return Pause(await desk.stall(situation.saga, words, delay))
        case Found() | NotFound():
            return Reading.STILL_REFUSED
        case _:
            return Pause(await desk.unread(situation.saga, reply))


async def _retry(desk: Desk, step: Step, why: str) -> None:
    await desk.record(step, step.retried(), "retry", "new key", why)


async def _retry_later(desk: Desk, situation: Situation, step: Step, refusal: Refusal) -> Outcome | None:
    if step.key_generation >= MOST_GENERATIONS:
        words = f"{refusal.words} (still so after {step.key_generation} attempts)"
        return await desk.wait(situation.saga, WaitingFor.PERSON, words)
    if step.refused_at is None:
        raise Bug(f"step {step.id} failed at no time")
    due = step.refused_at + desk.timings.refusal_retry * 2 ** (step.key_generation - 1) - desk.clock()
    if due.total_seconds() > 0:
        await desk.carry_on(situation.saga)
        return Snooze(due)
    await _retry(desk, step, "the refusal was temporary")
    return None


async def _await_connection(desk: Desk, situation: Situation, step: Step, refusal: Refusal) -> Outcome | None:
    saga = situation.saga
    reply = await read_connection(desk, saga.company_id, situation.connection_of(step))
    match reply:
        case Found(connection):
            hold = usable_connection(connection)
            if hold is None:
                return await _retry_later(desk, situation, step, refusal)
            return await desk.wait(saga, hold.waiting_for, hold.reason, recheck=desk.timings.connection_recheck)
        case _:
            return await desk.unread(saga, reply)


async def _await_mapping(desk: Desk, situation: Situation, step: Step, refusal: Refusal) -> Outcome | None:
    mapping = usable_mapping(situation)
    if isinstance(mapping, Hold) or mapping.version <= step.mapping_version:
        return await desk.wait(situation.saga, WaitingFor.MAPPING, refusal.words)
    remapped = replace(store.saved(step), mapping_version=mapping.version)
    attempt = store.Attempt(desk.clock(), step.key_generation, "retry", "new key", "the mapping was changed")
    async with desk.database.transaction() as connection:
        # Together: a step found with the new version and still refused would wait for a newer one than there is.
        await store.remap_steps(connection, situation.saga.id, mapping.version)
        await record_change(connection, remapped, remapped.retried(), attempt)
    log_change(step, remapped.retried(), "retry", "new key")
    return None
