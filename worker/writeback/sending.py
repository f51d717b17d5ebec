"""Sending a step: its whole request is stored first, then it leaves, then what came back is recorded.

A crash before the intention is committed: nothing happened. A crash after it: the same key and the same bytes go out
again, and Codat carries them out or repeats its first answer. No transaction is open while Codat is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, assert_never

from worker.codat.push_operation import PushOperation
from worker.codat.replies import (
    Accepted,
    AmbiguityCause,
    Ambiguous,
    CodatError,
    Denied,
    Invalid,
    KeyInProgress,
    KeyReused,
    Missing,
    PushReply,
    RateLimited,
    Unsent,
)
from worker.database import Connection
from worker.errors import Bug
from worker.jobs.job import Outcome, Snooze
from worker.writeback import statements, store
from worker.writeback.classify import Refusal, classify, classify_absence, classify_denial
from worker.writeback.compose import Posting, compose
from worker.writeback.desk import Desk, log_change
from worker.writeback.following import MOST_GENERATIONS
from worker.writeback.mapping import Mapping
from worker.writeback.plan import StepKind
from worker.writeback.preflight import Hold, TooEarly, posting_day
from worker.writeback.situation import (
    KnownConnection,
    Request,
    Saga,
    SagaState,
    Situation,
    Step,
    UnknownCause,
    WaitingFor,
)
from worker.writeback.statements import Feed, InFlight
from worker.writeback.timings import growing


async def send_first(desk: Desk, situation: Situation, step: Step, connection: KnownConnection) -> Outcome | None:
    """Store a planned loan step's intention, then send it."""
    mapping = situation.mapping_of(step)
    try:
        async with desk.database.transaction() as transaction:
            await hold_saga(transaction, step)
            request = await _request(desk, transaction, situation.saga, step, mapping, connection)
            if isinstance(request, Request):
                intended = await store_intention(desk, transaction, step, request)
    except OvertakenError:
        return None
    match request:
        case Request():
            return await send(desk, situation, intended, is_first=True)
        case Hold(waiting_for, reason):
            return await desk.wait(situation.saga, waiting_for, reason, recheck=desk.timings.connection_recheck)
        case TooEarly(day):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            reason = f"the platform takes this record only from {day.isoformat()} on"
            return await desk.wait(situation.saga, WaitingFor.CODAT, reason, recheck=midnight - desk.clock())
        case InFlight() | None:
            return await _queue_up(desk, situation.saga, request)
        case _:
            assert_never(request)


async def _queue_up(desk: Desk, saga: Saga, line: InFlight | None) -> Outcome:
    """The statement is taken: a moment's matter at first, something to be seen once its line takes long."""
    if line is not None and desk.clock() - line.since >= desk.timings.feed_patience:
        reason = f"what became of the line of saga {line.saga_id} on the same statement is not certain yet"
        return await desk.wait(saga, WaitingFor.CODAT, reason, recheck=desk.timings.connection_recheck)
    if saga.stalled_since is None:
        await desk.carry_on(saga)
    return await desk.stall(saga, "the lines of other sagas go to the same statement first", desk.timings.feed_busy)


class OvertakenError(Exception):
    """The step was moved or its saga given up meanwhile: nothing of this turn stays, no hold on a statement either."""


async def hold_saga(transaction: Connection, step: Step) -> None:
    """Keep a person from giving the saga up while something of it is about to be sent.

    Taken before any statement or step, as a person's decision takes it. Raises :class:`OvertakenError` when the saga
    is finished: a read of it that came before was too early.
    """
    state = await store.lock_saga(transaction, step.saga_id)
    if state is None or state.is_final:
        raise OvertakenError


async def store_intention(desk: Desk, transaction: Connection, step: Step, request: Request) -> Step:
    """Make a request durable before it leaves; raises :class:`OvertakenError` when step or saga have moved."""
    await hold_saga(transaction, step)
    now = desk.clock()
    intended = step.intended(request, now)
    attempt = store.Attempt(now, intended.key_generation, "send", "intended", request.path)
    if not await store.save_step(transaction, intended, attempt):
        raise OvertakenError
    await store.set_saga_state(transaction, step.saga_id, SagaState.RUNNING)
    log_change(step, intended, "send", "intended")
    return store.saved(intended)


async def _request(
    desk: Desk, transaction: Connection, saga: Saga, step: Step, mapping: Mapping, connection: KnownConnection
) -> Request | Hold | TooEarly | InFlight | None:
    """The request to store, or why there is none; None when a statement was taken a moment ago and is free again."""
    newest, balance = None, None
    if step.kind is StepKind.BANK_TRANSACTION:
        await statements.ensure_feed(transaction, saga.connection_id, mapping.lender_feed_id, 0)
        feed = await statements.take_feed(transaction, saga.connection_id, mapping.lender_feed_id, step.id)
        if not isinstance(feed, Feed):
            return feed
        newest, balance = feed.newest_date, feed.balance + step.amount
    day = posting_day(step, saga.effective_date, connection, newest, desk.clock().date())
    if isinstance(day, Hold | TooEarly):
        await statements.give_back_feed(transaction, step.id)
        return day
    record_id = await store.record_of_step(transaction, step.compensates) if step.compensates else None
    return compose(saga, step, mapping, connection.traits, Posting(day, balance, record_id))


async def send_again(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """A step was about to be sent, or was sent, and its answer is not recorded: the same request goes out again."""
    return await send(desk, situation, step, is_first=False)


async def send(desk: Desk, situation: Situation, step: Step, *, is_first: bool) -> Outcome | None:
    """Send a stored request while its key protects it, and record the answer."""
    if step.first_sent_at is None:
        raise Bug(f"step {step.id} is sending without a time")
    if not _is_protected(desk, step):
        await desk.record(step, step.lost(UnknownCause.NO_ANSWER, desk.clock()), "send", "too old to send again")
        return None
    reply = await _push(desk, situation, step)
    return await _heed(desk, situation.saga, step, reply, is_first=is_first)


async def _push(desk: Desk, situation: Situation, step: Step) -> PushReply:
    if step.path is None or step.body is None or step.idempotency_key is None:
        raise Bug(f"step {step.id} is sending without a request")
    company_id, connection_id = situation.saga.company_id, situation.connection_of(step)
    if step.kind is StepKind.DELETE_DIRECT_COST:
        async with desk.database.connection() as connection:
            record_id = await store.record_of_step(connection, step.compensates) if step.compensates else None
        return await desk.codat.delete_direct_cost(company_id, connection_id, record_id or "")
    key, may_leave = step.idempotency_key, lambda: _is_protected(desk, step)
    return await desk.codat.push(company_id, connection_id, step.path, step.body, key, may_leave=may_leave)


def _is_protected(desk: Desk, step: Step) -> bool:
    """Whether Codat still remembers the step's key if it has seen it, so that sending it again cannot write twice."""
    return step.first_sent_at is not None and desk.clock() - step.first_sent_at < desk.timings.key_lifetime


async def _heed(desk: Desk, saga: Saga, step: Step, reply: PushReply, *, is_first: bool) -> Outcome | None:
    """What an answer means. ``is_first``: nothing of this key generation can have reached Codat before."""
    match reply:
        case Accepted(operation):
            return await _accepted(desk, saga, step, operation)
        case Invalid(error):
            await _refused(desk, step, classify(error.errors, error.message), error)
        case Denied(error=error) | Missing(error=error) if not is_first or _may_be_deleted_already(step, reply):
            # An earlier request with this key may have been carried out before Codat began to refuse.
            await _lost(desk, step, UnknownCause.REFUSED_REPETITION, str(error.status), error.message)
        case Denied(status, error):
            await _refused(desk, step, classify_denial(status, error), error)
        case Missing(error):
            await _refused(desk, step, classify_absence(error), error)
        case KeyReused(error):
            await _lost(desk, step, UnknownCause.KEY_REUSED, str(error.status), error.message)
        case Ambiguous(cause, status, detail) if cause in _LOST_BY:
            await _lost(desk, step, _LOST_BY[cause], str(status), detail)
        case Ambiguous() | Unsent() | RateLimited() | KeyInProgress():
            return await _same_again(desk, saga, step, reply)
        case _:
            assert_never(reply)
    return None


def _may_be_deleted_already(step: Step, reply: Denied | Missing) -> bool:
    """What is to be deleted may be gone by an earlier request or by a bookkeeper's hand: the books will tell."""
    is_gone = isinstance(reply, Missing) and not reply.error.names_unsupported
    return step.kind is StepKind.DELETE_DIRECT_COST and is_gone and step.key_generation < MOST_GENERATIONS


_LOST_BY: Final = {
    AmbiguityCause.SERVER_ERROR: UnknownCause.SERVER_ERROR,
    AmbiguityCause.REPLY: UnknownCause.UNREADABLE,
}
"""Ambiguities that sending the same key again cannot clear up: Codat would only repeat the same answer."""


async def _refused(desk: Desk, step: Step, refusal: Refusal, error: CodatError) -> None:
    await desk.record(step, step.refused(refusal, desk.clock()), "send", str(error.status), refusal.words)


async def _lost(desk: Desk, step: Step, cause: UnknownCause, outcome: str, detail: str) -> None:
    await desk.record(step, step.lost(cause, desk.clock()), "send", outcome, detail)


async def _accepted(desk: Desk, saga: Saga, step: Step, operation: PushOperation) -> Outcome | None:
    accepted = step.accepted(operation.key, desk.clock())
    heard = await desk.record(step, accepted, "send", "accepted", f"push operation {operation.key}")
    # A final status is not believed from here either: the next turn reads the push operation itself.
    if heard or operation.status.is_final:
        return None
    await desk.carry_on(saga)
    return Snooze(desk.timings.poll_first)


async def _same_again(
    desk: Desk, saga: Saga, step: Step, reply: Ambiguous | Unsent | RateLimited | KeyInProgress
) -> Outcome:
    """Nothing is decided yet, and the same key may go again: when."""
    age = desk.clock() - step.first_sent_at if step.first_sent_at else timedelta(0)
    delay = growing(age, first=desk.timings.resend_first, longest=desk.timings.resend_longest)
    match reply:
        case Ambiguous(cause, _, detail):
            words = f"Codat does not answer this write: {detail}"
            await desk.note(step, "send", cause, detail)
        case Unsent(detail):
            words = f"this write cannot be sent: {detail}"
            await desk.note(step, "send", "unsent", detail)
        case RateLimited(retry_after):
            await desk.note(step, "send", "429", f"may go again after {retry_after.total_seconds():.0f} s")
            words, delay = "Codat limits how often it may be asked", retry_after
        case KeyInProgress():
            words = "Codat is still working on this write"
            await desk.note(step, "send", "409", "Codat is still working on this key")
            delay = desk.timings.key_in_progress
        case _:
            assert_never(reply)
    return await desk.stall(saga, words, delay)
