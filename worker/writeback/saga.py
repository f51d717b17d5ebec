"""Driving a saga: one turn after the other, each a small transaction or one question to Codat, until it must wait.

Every turn starts from what is stored, so that a process may die between any two of them: whoever takes the job next
reads the same situation and goes on. ``None`` from a turn means that something moved and the next turn may follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from worker.errors import Bug, DatabaseUnavailable, unforeseen
from worker.jobs.job import Claim, Done, Job, Outcome, Park, Retry, Snooze, storable
from worker.writeback import store
from worker.writeback.configure import creation
from worker.writeback.connections import linked_connection
from worker.writeback.desk import Desk, Pause, logger
from worker.writeback.following import follow, reconsider
from worker.writeback.movement import RepaymentReversal
from worker.writeback.plan import PlannedStep, WrittenStep, movement_name, plan, plan_reversal, reference
from worker.writeback.preflight import Hold, usable_mapping
from worker.writeback.resolve import resolve
from worker.writeback.sending import send_again, send_first
from worker.writeback.situation import (
    Saga,
    SagaKind,
    SagaState,
    Situation,
    Step,
    WaitingFor,
)
from worker.writeback.step import StepState

MOST_TURNS: Final = 100
"""Turns of one attempt: six steps of a few turns each fit many times; more means two turns undo each other."""

MOST_FAILURES: Final = 10
"""Attempts in a row that may fail by surprise or end with their process: their back-off lasts some four minutes, and a
saga that only happened to be there when a process died nine times over is innocent for certain."""


class SagaHandler:
    """Handler of the queue's ``advance_saga`` jobs; a job's subject is the saga's id."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, claim: Claim) -> Sequence[Outcome]:
        """Advance each saga of the claim as far as it goes now.

        No saga's job ever becomes a dead letter: its lane would go on with the loan's next movement, out of order.
        What fails every time is left to a person, and its job keeps the lane.
        """
        return [await self._attempt(job) for job in claim.jobs]

    async def _attempt(self, job: Job) -> Outcome:
        if job.attempt > MOST_FAILURES:  # the last one did not even end: its process did, or ran out of time
            return await self._give_to_person(job.subject, f"{job.attempt - 1} attempts ended without an answer")
        try:
            return await self.advance(job.subject)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the loan's order outlives it
            words = storable(unforeseen(error, "saga_failed"))
            logger.exception("saga_failed", saga_id=job.subject, job_id=job.id, attempt=job.attempt)
            return Retry(words) if job.attempt < MOST_FAILURES else await self._give_to_person(job.subject, words)

    async def _give_to_person(self, saga_id: int, words: str) -> Outcome:
        """Show what went wrong and keep the lane; a saga that was finished all the same lets it go."""
        async with self._desk.database.transaction() as connection:
            state = await store.lock_saga(connection, saga_id)
            if state is not None and state.is_final:
                return Done()
            reason = f"this program failed {MOST_FAILURES} times: {words}"
            await store.set_saga_state(connection, saga_id, SagaState.WAITING, WaitingFor.PERSON, reason)
        logger.error("saga_left_to_a_person", saga_id=saga_id)
        return Park(reason)

    async def advance(self, saga_id: int) -> Outcome:
        """Take turns until the saga is finished or has to wait for somebody."""
        for _ in range(MOST_TURNS):
            outcome = await self.run_once(saga_id)
            if outcome is not None:
                return outcome
        raise Bug(f"saga {saga_id} took {MOST_TURNS} turns without getting anywhere")

    async def run_once(self, saga_id: int) -> Outcome | None:
        """One turn: read the situation, do the one thing it calls for."""
        async with self._desk.database.transaction() as connection:
            situation = await store.load_situation(connection, saga_id)
        if situation is None:
            raise Bug(f"there is no saga {saga_id}")
        if situation.saga.state.is_final:
            return Done()
        outcome = await self._take(situation)
        if outcome is None:
            await self._desk.carry_on(situation.saga)
        return outcome

    async def _take(self, situation: Situation) -> Outcome | None:
        if situation.saga.mapping_version is None:
            return await _plan(self._desk, situation)
        step = situation.step
        if step is None:
            return await _finish(self._desk, situation)
        if situation.saga.kind is SagaKind.MAPPING:
            idle = step.state in (StepState.PLANNED, StepState.FAILED)
            if idle and await creation.superseded(self._desk, situation.saga):
                return Done()
            if _is_creation(step):
                return await creation.create(self._desk, situation, step)
        return await _turn(self._desk, situation, step)


def _is_creation(step: Step) -> bool:
    """Whether a mapping's step is not simply an accepted push operation to follow."""
    in_flight = (StepState.SENDING, StepState.UNKNOWN)
    return step.state is StepState.PLANNED or (step.kind in creation.FEED_STEPS and step.state in in_flight)


async def _turn(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """Move the saga's first unfinished step."""
    match step.state:
        case StepState.PLANNED:
            return await _begin(desk, situation, step)
        case StepState.SENDING:
            return await send_again(desk, situation, step)
        case StepState.PENDING:
            return await follow(desk, situation, step)
        case StepState.FAILED:
            return await reconsider(desk, situation, step)
        case StepState.UNKNOWN:
            return await resolve(desk, situation, step)
        case StepState.SUCCEEDED:
            raise Bug(f"step {step.id} is finished and was taken for unfinished")
        case _:
            assert_never(step.state)


async def _begin(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """Send a planned step, once the mapping and the connection let it."""
    mapping = usable_mapping(situation)
    if isinstance(mapping, Hold):
        return await desk.wait(situation.saga, mapping.waiting_for, mapping.reason)
    if situation.saga.waiting_for is WaitingFor.MAPPING and await _take_new_mapping(desk, situation, mapping.version):
        return None
    connection = await linked_connection(desk, situation.saga, situation.saga.connection_id)
    if not isinstance(connection, Pause) and situation.connection_of(step) != connection.connection_id:
        feed = await linked_connection(desk, situation.saga, situation.connection_of(step))
        connection = feed if isinstance(feed, Pause) else replace(connection, platform=feed.platform)
    if isinstance(connection, Pause):
        return connection.outcome
    return await send_first(desk, situation, step, connection)


async def _take_new_mapping(desk: Desk, situation: Situation, version: int) -> bool:
    """Let a saga that waited for a mapping before it sent anything be planned with the new one; True when it is.

    One that has sent anything keeps the version it began with, whatever was switched off and on meanwhile: its records
    belong together. Only a refusal that blames the mapping lets the rest of it be written with another.
    """
    untouched = all(step.state is StepState.PLANNED and step.key_generation == 1 for step in situation.steps)
    if not untouched or all(step.mapping_version == version for step in situation.steps if step.compensates is None):
        return False
    async with desk.database.transaction() as connection:
        state = await store.lock_saga(connection, situation.saga.id)
        if state is not None and not state.is_final:
            await store.discard_plan(connection, situation.saga.id)
    return True


async def _plan(desk: Desk, situation: Situation) -> Outcome | None:
    """Fix the mapping version and the steps, before anything is sent."""
    saga = situation.saga
    if saga.kind is SagaKind.MAPPING or saga.movement is None:
        raise Bug(f"saga {saga.id} has nothing to plan")
    mapping = usable_mapping(situation)
    if isinstance(mapping, Hold):
        return await desk.wait(saga, mapping.waiting_for, mapping.reason)
    if isinstance(saga.movement, RepaymentReversal):
        return await _plan_reversal(desk, situation, saga.movement)
    steps = [_new_step(saga, step, mapping.version) for step in plan(saga.movement, mapping.profile)]
    async with desk.database.transaction() as connection:
        planned = await store.begin_saga(connection, saga, mapping.version, steps)
    return None if planned else Snooze(timedelta(0))


async def _plan_reversal(desk: Desk, situation: Situation, movement: RepaymentReversal) -> Outcome | None:
    """Plan the opposite of what the repayment's saga really wrote, in the very accounts it was written to."""
    saga = situation.saga
    async with desk.database.connection() as connection:
        written = await store.load_written(connection, saga, movement.repayment_id)
    if written is None:
        return await desk.wait(saga, WaitingFor.PERSON, f"no writeback of repayment {movement.repayment_id} is known")
    if not written.saga_state.is_final or written.in_doubt:
        words = f"what saga {written.saga_id} of repayment {movement.repayment_id} has written is not certain yet"
        return await desk.wait(saga, WaitingFor.PERSON, words, recheck=desk.timings.connection_recheck)
    if not written.steps or written.mapping_version is None:
        return await _finish(desk, situation, f"nothing of repayment {movement.repayment_id} was written")
    known = await linked_connection(desk, saga, saga.connection_id)
    if isinstance(known, Pause):
        return known.outcome
    versions = {step_id: version for step_id, _, _, _, version in written.steps}
    undone = plan_reversal(
        [WrittenStep(step_id, kind, purpose, amount) for step_id, kind, purpose, amount, _ in written.steps],
        can_delete_direct_costs=known.traits.deletes_direct_costs,
    )
    steps = [_new_step(saga, step, versions[step.compensates or 0]) for step in undone]
    async with desk.database.transaction() as transaction:
        planned = await store.begin_saga(transaction, saga, written.mapping_version, steps)
    return None if planned else Snooze(timedelta(0))


def _new_step(saga: Saga, step: PlannedStep, mapping_version: int) -> store.NewStep:
    if saga.movement is None or saga.loan_id is None:
        raise Bug(f"saga {saga.id} has no movement")
    fingerprint = reference(saga.connection_id, saga.loan_id, movement_name(saga.movement), step)
    return store.NewStep(step.kind, step.purpose, fingerprint, step.amount, mapping_version, step.compensates)


async def _finish(desk: Desk, situation: Situation, reason: str | None = None) -> Outcome:
    saga = situation.saga
    if saga.kind is SagaKind.MAPPING:
        return await creation.finish(desk, saga, situation.steps)
    async with desk.database.connection() as connection:
        await store.set_saga_state(connection, saga.id, SagaState.SUCCEEDED, reason=reason)
    return Done()
