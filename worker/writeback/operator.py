"""What a person may do with a saga that waits: let it be tried again, say where its record is, or give it up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from worker.database import Connection, Database
from worker.errors import Rejected
from worker.jobs.store import enqueue_jobs
from worker.writeback import statements, store
from worker.writeback.configure import store as configure_store
from worker.writeback.desk import record_change
from worker.writeback.plan import CREATIONS
from worker.writeback.situation import Saga, SagaKind, SagaState, Situation, Step, UnknownCause
from worker.writeback.step import StepState
from worker.writeback.timings import Timings

CONFLICT = 409
"""The saga is in no state for this."""

OVERDUE: Final = Timings().pending_patience
"""Age from which a person may give up a push operation that Codat does not finish."""

_WHAT_TO_SAY = "look in the books: adopt its record if it is there, otherwise say so with absent: true"


class Operator:
    """A person's decisions. Each is one transaction and one line of history; the saga's own turn does the work."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def retry(self, saga_id: int) -> None:
        """Let the saga look now, and a refused or unfindable step be sent again after one more look.

        Raises :class:`~worker.errors.Rejected` (404, 409) when there is no such saga or it is finished.
        """
        async with self._database.transaction() as connection:
            situation = await self._unfinished(connection, saga_id)
            step = situation.step
            if step is not None and step.state in (StepState.FAILED, StepState.UNKNOWN):
                await store.allow_resend(connection, step.id)
                await store.add_attempt(connection, step.id, self._line(step, "retry asked for", None))
            await store.expire_connection(connection, situation.saga.connection_id)
            await store.set_saga_state(connection, saga_id, SagaState.RUNNING)
            await self._set_going(connection, situation.saga)

    async def adopt(self, saga_id: int, record_id: str) -> None:
        """A person has found in the books what a step wrote, though Codat does not say so: this is the record's id.

        Raises :class:`~worker.errors.Rejected` (404, 409) unless the saga's current step is unknown or pending.
        """
        async with self._database.transaction() as connection:
            situation = await self._unfinished(connection, saga_id)
            step = situation.step
            if step is None or step.state not in (StepState.UNKNOWN, StepState.PENDING):
                words = "only a step that is unknown or pending can adopt a record"
                raise Rejected(CONFLICT, words, code="conflict")
            _, claimed = await store.claimed_by_others(
                connection, situation.saga.connection_id, step.id, [], [record_id]
            )
            if claimed and step.kind not in CREATIONS:
                raise Rejected(CONFLICT, f"record {record_id} belongs to another step already", code="conflict")
            line = self._line(step, "adopted", f"a person found the record {record_id}")
            await record_change(connection, step, self._unknown(step).adopted(record_id, None), line)
            await store.set_saga_state(connection, saga_id, SagaState.RUNNING)
            await self._set_going(connection, situation.saga)

    async def abandon(self, saga_id: int, reason: str, *, absent: bool = False) -> None:
        """Give the saga up, so that its loan's next one may go. What it has written stays written.

        ``absent``: the person has looked, and what an unknown step, or one that Codat has not finished for
        :data:`OVERDUE`, may have written is not in the books. Raises :class:`~worker.errors.Rejected` (404, 409) while
        a request of it may be under way or may have been carried out: a record nobody follows would be missed by a
        reversal.
        """
        async with self._database.transaction() as connection:
            situation = await self._unfinished(connection, saga_id)
            step = situation.step
            if step is not None and (step.state is StepState.SENDING or self._is_under_way(step)):
                raise Rejected(
                    CONFLICT, f"step {step.n} is {step.state}; wait until Codat has answered", code="conflict"
                )
            if step is not None and step.state in (StepState.UNKNOWN, StepState.PENDING):
                if not absent:
                    raise Rejected(CONFLICT, f"step {step.n} is {step.state}; {_WHAT_TO_SAY}", code="conflict")
                line = self._line(step, "confirmed absent", "a person did not find it in the books")
                await record_change(connection, step, self._unknown(step).proven_absent(), line)
            if step is not None:
                await statements.release_feed(connection, step.id)
                await store.add_attempt(connection, step.id, self._line(step, "abandoned", reason))
            if situation.saga.kind is SagaKind.MAPPING and situation.saga.mapping_version is not None:
                place = situation.saga.connection_id
                await configure_store.fail_mapping(connection, place, situation.saga.mapping_version, reason)
            await store.set_saga_state(connection, saga_id, SagaState.ABANDONED, reason=reason)
            await store.wake_sagas(connection, [saga_id])

    async def _set_going(self, connection: Connection, saga: Saga) -> None:
        """Wake the saga's job. One that was buried is replaced in a lane of its own: its place in the order is gone,
        and whoever took it may wait for this saga.
        """
        place = ("mapping", str(saga.connection_id)) if saga.loan_id is None else ("writeback", saga.loan_id)
        own, again = store.job_of_saga(saga.id, *place), store.job_of_saga(saga.id, *place, "again", str(saga.id))
        await store.wake_sagas(connection, [saga.id])
        if not await store.has_job(connection, saga.id, [own.lane, again.lane]):
            (job_id,) = await enqueue_jobs(connection, [again])
            await store.close_dead_letter(connection, saga.id, job_id)

    async def _unfinished(self, connection: Connection, saga_id: int) -> Situation:
        await store.lock_saga(connection, saga_id)  # a statement of its own, so that the next one sees what was awaited
        situation = await store.load_situation(connection, saga_id)
        if situation is None:
            raise Rejected(404, f"there is no saga {saga_id}", code="not_found")
        if situation.saga.state.is_final:
            raise Rejected(CONFLICT, f"saga {saga_id} is {situation.saga.state}", code="conflict")
        return situation

    def _is_under_way(self, step: Step) -> bool:
        if step.state is not StepState.PENDING or step.accepted_at is None:
            return False
        return self._clock() - step.accepted_at < OVERDUE

    def _unknown(self, step: Step) -> Step:
        """The step once a person's word counts for more than Codat's silence."""
        return step.lost(UnknownCause.TIMED_OUT, self._clock()) if step.state is StepState.PENDING else step

    def _line(self, step: Step, outcome: str, detail: str | None) -> store.Attempt:
        return store.Attempt(self._clock(), step.key_generation, "person", outcome, detail)
