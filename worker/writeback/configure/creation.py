"""Creating what a mapping asks for: the same steps as a loan's, with a look by name before anything is created."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never
from uuid import UUID

from worker.codat import payloads
from worker.codat.connection import FeedAccount
from worker.codat.platforms import Traits
from worker.codat.records import push_path
from worker.codat.replies import CodatError, Denied, Found, NotFound, NotReady, RateLimited, Refused, Unavailable
from worker.database import Connection
from worker.errors import Bug, Rejected
from worker.jobs.job import Done, Outcome, Snooze
from worker.writeback import statements, store
from worker.writeback.classify import Refusal, Responsible, classify, classify_absence, classify_denial
from worker.writeback.configure import store as configure_store
from worker.writeback.configure.checks import contradiction
from worker.writeback.configure.creatable import NewRecord, new_records
from worker.writeback.configure.feeds import read_feed
from worker.writeback.configure.request import (
    Existing,
    ExistingFeed,
    NewBankAccount,
    NewFeed,
    source_account_id,
)
from worker.writeback.configure.store import StoredMapping
from worker.writeback.configure.vetting import Unvetted, vet
from worker.writeback.connections import linked_connection
from worker.writeback.desk import Desk, Pause
from worker.writeback.looking import Sighting, await_sync, sightings
from worker.writeback.plan import StepKind
from worker.writeback.sending import OvertakenError, send, store_intention
from worker.writeback.situation import (
    RECORD_KINDS,
    KnownConnection,
    Request,
    Saga,
    SagaState,
    Situation,
    Step,
    UnknownCause,
    WaitingFor,
)
from worker.writeback.step import StepState
from worker.writeback.timings import growing

FEED_STEPS = (StepKind.CREATE_SOURCE_ACCOUNT, StepKind.MAP_SOURCE_ACCOUNT)
"""Steps Codat answers at once, without a push operation. What they make has an id of our choosing to look for."""

MOST_DOUBLINGS: Final = 10
"""Of the quiet time before a feed's step is sent again: the longest wait is reached long before."""


async def create(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """One turn of a mapping's step that is planned, or that belongs to a bank feed."""
    mapping = await _draft(desk, situation.saga)
    is_feed = step.kind in FEED_STEPS
    connection_id = mapping.feed_connection_id if is_feed else situation.saga.connection_id
    connection = await linked_connection(desk, situation.saga, connection_id)
    if isinstance(connection, Pause):
        return connection.outcome
    if step.state is StepState.PLANNED:
        return await _begin(desk, situation, step, mapping, connection)
    reply = await read_feed(desk, connection, _source_id(mapping), mapping.request.fed_account_id)
    if not isinstance(reply, Found):
        return await desk.unread(situation.saga, reply)
    feed = reply.value
    if feed is not None and (words := contradiction(feed, mapping.request)) is not None:
        refused = step.refused(Refusal(Responsible.PERSON, words), desk.clock())
        await desk.record(step, refused, "look", "not the one asked for", words)
        return None
    if step.kind is StepKind.CREATE_SOURCE_ACCOUNT:
        return await _source_account(desk, situation.saga, step, mapping, feed)
    if (feed is None or not feed.is_connected) and not connection.traits.feed.mapped_through_api:
        words = (
            f"{connection.platform_name} joins a bank feed to an account itself: the borrower has to choose account"
            f" {mapping.request.fed_account_id} for the feed {_source_id(mapping)} there"
        )
        return await desk.wait(situation.saga, WaitingFor.PERSON, words, recheck=desk.timings.connection_recheck)
    return await _feed_mapping(desk, situation.saga, step, mapping, feed)


async def finish(desk: Desk, saga: Saga, steps: tuple[Step, ...]) -> Outcome:
    """Everything exists: the version is ready, and whoever waited for it is woken."""
    mapping = await _draft(desk, saga)
    made = {step.kind: step.record_id or "" for step in steps}
    lender = _lender_ids(mapping, made)
    async with desk.database.transaction() as connection:
        state = await store.lock_saga(connection, saga.id)
        if state is None or state.is_final:
            return Done()  # given up meanwhile, and its version with it
        await configure_store.complete_mapping(
            connection,
            mapping,
            lender,
            mapping.expense_account_id or made[StepKind.CREATE_ACCOUNT],
            mapping.supplier_id or made[StepKind.CREATE_SUPPLIER],
        )
        await statements.ensure_feed(connection, saga.connection_id, lender[1], 0)
        await store.set_saga_state(connection, saga.id, SagaState.SUCCEEDED)
        await store.wake_connection(connection, saga.connection_id)
    return Done()


def steps_for(mapping: Existing | ExistingFeed | NewBankAccount | NewFeed) -> list[StepKind]:
    """What creating the lender's account takes."""
    match mapping:
        case Existing() | ExistingFeed():
            return []
        case NewBankAccount():
            return [StepKind.CREATE_BANK_ACCOUNT]
        case NewFeed():
            return list(FEED_STEPS)
        case _:
            assert_never(mapping)


def _lender_ids(mapping: StoredMapping, made: dict[StepKind, str]) -> tuple[str, str]:
    """The lender's account in the books and where its statement lines go."""
    if StepKind.CREATE_BANK_ACCOUNT in made:
        return made[StepKind.CREATE_BANK_ACCOUNT], made[StepKind.CREATE_BANK_ACCOUNT]
    if StepKind.MAP_SOURCE_ACCOUNT in made:
        return made[StepKind.MAP_SOURCE_ACCOUNT], made[StepKind.CREATE_SOURCE_ACCOUNT]
    return mapping.lender_account_id or "", mapping.lender_feed_id or ""


async def _draft(desk: Desk, saga: Saga) -> StoredMapping:
    async with desk.database.connection() as connection:
        mapping = await configure_store.get_mapping(connection, saga.connection_id, saga.mapping_version or 0)
    if mapping is None:
        raise Bug(f"saga {saga.id} creates a mapping version that is not stored")
    return mapping


async def superseded(desk: Desk, saga: Saga) -> bool:
    """Give up a version a person has replaced; what it has created is found by name when it is wanted again."""
    mapping = await _draft(desk, saga)
    async with desk.database.transaction() as connection:
        newest = await configure_store.newest_mapping(connection, saga.connection_id)
        if newest is None or newest.version <= mapping.version:
            return False
        reason = f"version {newest.version} was asked for instead"
        await _give_up(connection, saga, mapping.version, reason)
    return True


async def _give_up(connection: Connection, saga: Saga, version: int, reason: str) -> None:
    """Inside the caller's transaction: the version will not be ready, and its saga does no more for it."""
    await configure_store.fail_mapping(connection, saga.connection_id, version, reason)
    await store.set_saga_state(connection, saga.id, SagaState.ABANDONED, reason=reason)


async def _begin(
    desk: Desk, situation: Situation, step: Step, mapping: StoredMapping, connection: KnownConnection
) -> Outcome | None:
    request = _compose(step, mapping, connection.traits, situation)
    if step.kind not in FEED_STEPS:
        existing = await _existing(desk, situation, step, request)
        if isinstance(existing, Pause):
            return existing.outcome
        if existing is not None:
            await desk.record(step, step.adopted(existing.record_id, None), "look", "exists", existing.record_id)
            return None
        objection = await vet(desk, connection, _new_record(step, mapping, connection.traits))
        if isinstance(objection, Unvetted):
            return await desk.unread(situation.saga, objection.reply)
        if objection is not None:
            return await _refuse(desk, situation.saga, mapping, objection)
    try:
        async with desk.database.transaction() as transaction:
            intended = await store_intention(desk, transaction, step, request)
    except OvertakenError:
        return None
    if step.kind in FEED_STEPS:
        return None
    return await send(desk, situation, intended, is_first=True)


async def _refuse(desk: Desk, saga: Saga, mapping: StoredMapping, objection: Rejected) -> Outcome:
    """The version asks for what the connection never takes: it fails, naming the field to be changed in the next."""
    async with desk.database.transaction() as connection:
        state = await store.lock_saga(connection, saga.id)
        if state is not None and not state.is_final:
            await _give_up(connection, saga, mapping.version, f"{objection.field} {objection.detail}")
    return Done()


async def _existing(desk: Desk, situation: Situation, step: Step, request: Request) -> Sighting | Pause | None:
    """A record of the wanted name, in books that were read after it was asked for."""
    pause = await await_sync(desk, situation, step)
    if pause is not None:
        return pause
    seen = await sightings(desk, situation, replace(step, body=request.body), None)
    if isinstance(seen, Pause):
        return seen
    return seen[0] if isinstance(seen, list) and seen else None


async def _source_account(
    desk: Desk, saga: Saga, step: Step, mapping: StoredMapping, feed: FeedAccount | None
) -> Outcome | None:
    if feed is not None:
        found = step.confirmed if step.state is StepState.SENDING else step.adopted
        await desk.record(step, found(feed.source_id, None), "look", "exists", feed.source_id)
        return None
    if step.state is StepState.UNKNOWN:
        return await _again_after_quiet(desk, saga, step)
    body, key = _stored(step)
    reply = await desk.codat.create_source_account(saga.company_id, mapping.feed_connection_id, body, key)
    match reply:
        case Found():
            source = _source_id(mapping)
            await desk.record(step, step.confirmed(source, None), "send", "created", source)
            return None
        case Refused(error):
            await _record_refusal(desk, step, classify(error.errors, error.message), error)
            return None
        case _:
            return await _unanswered(desk, saga, step, reply)


async def _feed_mapping(
    desk: Desk, saga: Saga, step: Step, mapping: StoredMapping, feed: FeedAccount | None
) -> Outcome | None:
    if feed is not None and feed.is_connected and feed.target_id is not None:
        found = step.confirmed if step.state is StepState.SENDING else step.adopted
        await desk.record(step, found(feed.target_id, None), "look", "connected", feed.target_id)
        return None
    under_way = feed is not None and (feed.target_id is not None or feed.status.casefold() == "connecting")
    if under_way:
        age = desk.clock() - (step.first_sent_at or desk.clock())
        delay = growing(age, first=desk.timings.poll_first, longest=desk.timings.poll_longest)
        if saga.stalled_since is None:
            await desk.carry_on(saga)
        return await desk.stall(saga, "Codat has not joined the bank feed to its account yet", delay)
    if step.state is StepState.UNKNOWN:
        return await _again_after_quiet(desk, saga, step)
    body, key = _stored(step)
    reply = await desk.codat.create_mapping(saga.company_id, mapping.feed_connection_id, body, key)
    match reply:
        case Found():
            await desk.note(step, "send", "accepted")
            return Snooze(desk.timings.poll_first)
        case Refused(error):
            await _record_refusal(desk, step, classify(error.errors, error.message), error)
            return None
        case _:
            return await _unanswered(desk, saga, step, reply)


async def _unanswered(
    desk: Desk, saga: Saga, step: Step, reply: NotReady | RateLimited | Denied | NotFound | Unavailable
) -> Outcome | None:
    """Nothing was made that we know of. It has an id of our own, and each turn looks for it before anything is sent."""
    match reply:
        case NotReady():
            return await desk.stall(saga, "Codat is still working on this write", desk.timings.key_in_progress)
        case RateLimited():
            return await desk.unread(saga, reply)
        case Denied(status, error):
            await _record_refusal(desk, step, classify_denial(status, error), error)
        case NotFound(error):
            await _record_refusal(desk, step, classify_absence(error), error)
        case Unavailable(detail):
            await desk.record(step, step.lost(UnknownCause.NO_ANSWER, desk.clock()), "send", "no answer", detail)
        case _:
            assert_never(reply)
    return None


async def _record_refusal(desk: Desk, step: Step, refusal: Refusal, error: CodatError) -> None:
    await desk.record(step, step.refused(refusal, desk.clock()), "send", str(error.status), refusal.words)


async def _again_after_quiet(desk: Desk, saga: Saga, step: Step) -> Outcome | None:
    """Send it once more, twice as long after each try: whoever never answers must not use up everybody's quota."""
    if step.unknown_since is None:
        raise Bug(f"step {step.id} is unknown since no time")
    tries = min(step.key_generation, MOST_DOUBLINGS)
    quiet = min(desk.timings.look_first * 2 ** (tries - 1), desk.timings.codat_recheck)
    left = step.unknown_since + quiet - desk.clock()
    if left.total_seconds() > 0:
        return await desk.stall(saga, "Codat does not answer what this mapping creates", left)
    await desk.record(step, step.proven_absent(), "look", "proven absent", "planned again with a new key")
    return None


def _stored(step: Step) -> tuple[bytes, UUID]:
    if step.body is None or step.idempotency_key is None:
        raise Bug(f"step {step.id} is sending without a request")
    return step.body, step.idempotency_key


def _source_id(mapping: StoredMapping) -> str:
    lender = mapping.request.lender
    if not isinstance(lender, NewFeed):
        raise Bug("only a new feed creates a source account")
    return source_account_id(mapping.feed_connection_id, lender.name)


def _compose(step: Step, mapping: StoredMapping, traits: Traits, situation: Situation) -> Request:
    """The request that creates what this step is for."""
    lender, today = mapping.request.lender, situation.saga.effective_date
    if step.kind is StepKind.CREATE_SOURCE_ACCOUNT and isinstance(lender, NewFeed):
        source = payloads.SourceAccountBody(
            _source_id(mapping), lender.name, lender.account_number, mapping.request.currency, 0, lender.sort_code
        )
        return Request("connectionInfo/bankFeedAccounts", payloads.source_account(source), today)
    if step.kind is StepKind.MAP_SOURCE_ACCOUNT and isinstance(lender, NewFeed):
        feed = payloads.FeedMappingBody(_source_id(mapping), lender.target_account_id)
        return Request("bankFeedAccounts/mapping", payloads.feed_mapping(feed), today)
    path = push_path(RECORD_KINDS[step.kind], on_premise=traits.on_premise)
    return Request(path, _new_record(step, mapping, traits).body, today)


def _new_record(step: Step, mapping: StoredMapping, traits: Traits) -> NewRecord:
    record = next((new for new in new_records(mapping.request, traits) if new.kind is step.kind), None)
    if record is None:
        raise Bug(f"a mapping's saga holds the step {step.kind} that its request does not ask for")
    return record
