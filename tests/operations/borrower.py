"""What the writeback would have done by now: steps planned and moved by its own methods, without Codat."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from worker.codat.profiles import Profile
from worker.database import Database
from worker.writeback import store
from worker.writeback.classify import Refusal, Responsible
from worker.writeback.desk import record_change
from worker.writeback.movement import Drawdown, Refund, Repayment
from worker.writeback.plan import plan
from worker.writeback.situation import Request, SagaState, Step, UnknownCause, WaitingFor
from worker.writeback.store import Attempt, NewStep, saved

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PUSH = UUID("0190a1b2-0000-7000-8000-0000000000e1")


async def begin(database: Database, saga_id: int) -> Step:
    """Plan a saga and return its first step."""
    async with database.transaction() as connection:
        situation = await store.load_situation(connection, saga_id)
        assert situation is not None
        movement = situation.saga.movement
        assert isinstance(movement, Drawdown | Repayment | Refund)
        planned = plan(movement, Profile.MATCHED)
        steps = [
            NewStep(one.kind, one.purpose, f"LW-{saga_id}-{n}", one.amount, mapping_version=1)
            for n, one in enumerate(planned, 1)
        ]
        await store.begin_saga(connection, situation.saga, 1, steps)
        situation = await store.load_situation(connection, saga_id)
    assert situation is not None
    assert situation.step is not None
    return situation.step


async def move(database: Database, before: Step, after: Step, action: str, outcome: str) -> Step:
    """Store one change of a step with its line of history."""
    async with database.transaction() as connection:
        await record_change(connection, before, after, Attempt(NOW, before.key_generation, action, outcome, "as told"))
    return saved(after)


async def send(database: Database, step: Step) -> Step:
    """Store a step's request, as is done before it leaves."""
    return await move(
        database, step, step.intended(Request("push/x", b"{}", date(2026, 3, 2)), NOW), "send", "intended"
    )


async def write_first_step(database: Database, saga_id: int) -> None:
    """The saga's first record is in the books."""
    step = await send(database, await begin(database, saga_id))
    step = await move(database, step, step.accepted(PUSH, NOW), "send", "accepted")
    await move(database, step, step.confirmed("record-1", None), "read", "Success")


async def refuse_first_step(database: Database, saga_id: int, reason: str) -> None:
    """The platform refused the saga's first record: a person has to act."""
    step = await send(database, await begin(database, saga_id))
    refusal = Refusal(Responsible.PERSON, reason, "From.Amount")
    await move(database, step, step.refused(refusal, NOW), "read", "refused")
    await wait_for_person(database, saga_id, reason)


async def lose_first_step(database: Database, saga_id: int) -> None:
    """Nobody knows whether the saga's first record was written."""
    step = await send(database, await begin(database, saga_id))
    await move(database, step, step.lost(UnknownCause.NO_ANSWER, NOW), "send", "no answer")
    await wait_for_person(database, saga_id, "the record cannot be found")


async def wait_for_person(database: Database, saga_id: int, reason: str) -> None:
    """Show that the saga waits for a person."""
    async with database.connection() as connection:
        await store.set_saga_state(connection, saga_id, SagaState.WAITING, WaitingFor.PERSON, reason)
