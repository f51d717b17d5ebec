"""What every turn of a saga works with, and the one place where a step's change is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from worker.codat.client import CodatClient
from worker.codat.replies import Denied, NotFound, NotReady, RateLimited, Refused, Unavailable
from worker.database import Connection, Database
from worker.jobs.job import Outcome, Park, Snooze
from worker.writeback import statements, store
from worker.writeback.plan import StepKind
from worker.writeback.situation import Saga, SagaState, Step, WaitingFor
from worker.writeback.step import StepState
from worker.writeback.timings import Timings, growing

DETAIL_LENGTH: Final = 1_000
"""Characters of a foreign message kept in a step's history: every real one fits."""

logger = structlog.get_logger("writeback")


@dataclass(frozen=True, slots=True)
class Pause:
    """Instead of a result: the saga can do nothing more now, and this is what its job answers."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Desk:
    """The database, Codat, the time, and how long to wait for what."""

    database: Database
    codat: CodatClient
    clock: Callable[[], datetime]
    timings: Timings

    async def record(self, before: Step, after: Step, action: str, outcome: str, detail: str | None = None) -> bool:
        """Store a step's change with its line of history; True when Codat's webhook has already spoken of its push.

        A change somebody else made first is left alone: the next turn reads what they stored.
        """
        attempt = store.Attempt(
            self.clock(), before.key_generation, action, outcome, detail[:DETAIL_LENGTH] if detail else None
        )
        async with self.database.transaction() as connection:
            heard = await record_change(connection, before, after, attempt)
        log_change(before, after, action, outcome)
        return heard

    async def keep(self, step: Step) -> None:
        """Store where looking for a step has got to: no change of state, no line of history."""
        async with self.database.connection() as connection:
            await store.save_step(connection, step)

    async def note(self, step: Step, action: str, outcome: str, detail: str | None = None) -> None:
        """Add a line to a step's history without changing it."""
        attempt = store.Attempt(self.clock(), step.key_generation, action, outcome, detail)
        async with self.database.connection() as connection:
            await store.add_attempt(connection, step.id, attempt)

    async def wait(
        self, saga: Saga, waiting_for: WaitingFor, reason: str, *, recheck: timedelta | None = None
    ) -> Outcome:
        """Show what a saga waits for. With ``recheck`` it also looks by itself in case nobody tells it."""
        await self._show(saga, waiting_for, reason, None)
        return Snooze(recheck) if recheck else Park(reason)

    async def stall(self, saga: Saga, words: str, delay: timedelta) -> Outcome:
        """Look again after ``delay`` for what Codat should have brought within moments.

        What is shown meanwhile stays as it is, until the saga has got nowhere, or is sure to, for ``shown_after``:
        from then on ``words`` say why. Since when is stored, so that neither a restart nor another replica forgets it.
        """
        since = saga.stalled_since or self.clock()
        if max(self.clock() - since, delay) >= self.timings.shown_after:
            await self._show(saga, WaitingFor.CODAT, words, since)
        elif saga.stalled_since is None:
            async with self.database.connection() as connection:
                await store.note_stall(connection, saga.id, since)
        return Snooze(delay)

    async def carry_on(self, saga: Saga) -> None:
        """What the saga waited for has come: nothing is shown any more. Costs nothing when nothing was."""
        if saga.is_held_up:
            async with self.database.connection() as connection:
                await store.set_saga_state(connection, saga.id, SagaState.RUNNING)

    async def _show(self, saga: Saga, waiting_for: WaitingFor, reason: str, stalled_since: datetime | None) -> None:
        async with self.database.connection() as connection:
            await store.set_saga_state(connection, saga.id, SagaState.WAITING, waiting_for, reason, stalled_since)
        # The reason may quote the accounting software, which names people: it is read from the saga, not from a log.
        if (saga.waiting_for, saga.reason) != (waiting_for, reason):
            logger.info("saga waits", saga_id=saga.id, loan_id=saga.loan_id, waiting_for=waiting_for)

    async def unread(
        self, saga: Saga, reply: RateLimited | Denied | NotFound | NotReady | Refused | Unavailable
    ) -> Outcome:
        """What to do when a read brought nothing: later, or visibly waiting when Codat turns us away."""
        match reply:
            case RateLimited(retry_after):
                return await self.stall(saga, "Codat limits how often it may be asked", retry_after)
            case Denied(status, error):
                words = f"Codat refuses this program's requests ({status}): {error.message}"
                return await self.stall(saga, words, self.timings.codat_recheck)
            case NotFound(error):
                words = f"Codat does not find the borrower's company, connection or data: {error.message}"
                return await self.wait(saga, WaitingFor.CONNECTION, words, recheck=self.timings.connection_recheck)
            case NotReady(error) | Refused(error):
                return await self._ask_again(saga, f"Codat does not let the borrower's data be read: {error.message}")
            case Unavailable(detail):
                return await self._ask_again(saga, f"Codat does not answer what it is asked: {detail}")

    async def _ask_again(self, saga: Saga, words: str) -> Outcome:
        failed_for = self.clock() - saga.stalled_since if saga.stalled_since else timedelta(0)
        delay = growing(failed_for, first=self.timings.read_retry, longest=self.timings.codat_recheck)
        return await self.stall(saga, words, delay)


async def record_change(connection: Connection, before: Step, after: Step, attempt: store.Attempt) -> bool:
    """Inside the caller's transaction: the step, its statement and its history move together."""
    named = after.push_operation_key is not None and after.push_operation_key != before.push_operation_key
    if named and after.push_operation_key:
        await store.lock_push_key(connection, after.push_operation_key)
    if not await store.save_step(connection, after, attempt):
        return False
    if after.kind is StepKind.BANK_TRANSACTION:
        if after.state is StepState.SUCCEEDED:
            await statements.settle_feed(connection, after)
        elif after.state in (StepState.FAILED, StepState.PLANNED):
            await statements.release_feed(connection, after.id)
    if named and after.push_operation_key:
        return await store.heard_push_webhook(connection, after.push_operation_key)
    return False


def log_change(before: Step, after: Step, action: str, outcome: str) -> None:
    """One log event per transition, with the keys every station uses."""
    logger.info(
        "step changed",
        saga_id=after.saga_id,
        step_id=after.id,
        kind=after.kind,
        push_operation_key=str(after.push_operation_key) if after.push_operation_key else None,
        before=before.state,
        after=after.state,
        action=action,
        outcome=outcome,
    )
