"""Finding out what became of a step whose answer was lost: look in the push history, then in the books.

What is found is adopted. Only what is proven absent is sent again, under a new key. Proof needs two readings of the
books that follow each other after a quiet time: the first may have begun before the write took effect, the second
cannot have. Where a write may still arrive late, or where sending was our own mistake, absence proves nothing, and in
the end a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from worker.codat.matching import Match
from worker.codat.push_operation import PushOperation, PushStatus
from worker.codat.replies import Found, NotFound
from worker.errors import Bug
from worker.jobs.job import Outcome, Snooze
from worker.writeback import store
from worker.writeback.desk import Desk, Pause
from worker.writeback.following import conclude, may_be_deleted_already, written_record
from worker.writeback.history import Doubt, line_by_history, that_may_be, unexplained, vouched, wrote
from worker.writeback.looking import Sighting, Unreadable, await_sync, sightings
from worker.writeback.plan import CREATIONS, StepKind
from worker.writeback.situation import RECORD_KINDS, Situation, Step, UnknownCause, WaitingFor
from worker.writeback.timings import growing

READINGS_FOR_PROOF: Final = 2
"""Readings of the books, one after the other, that must not show a record before it counts as absent."""

_DOUBTS: Final = {
    UnknownCause.RECORD_MISSING: "Codat says it was written, but it is not in the books",
    UnknownCause.KEY_REUSED: "Codat has seen its Idempotency-Key with another body",
}
"""Causes after which even proven absence needs a person before anything is sent again."""


_MAY_STILL_COME: Final = "the platform timed out and may still write it, but it cannot be found in the books"
_WHAT_A_PERSON_DOES: Final = "look there: if it is in the books, adopt it by its id, otherwise retry to send it again"


async def resolve(desk: Desk, situation: Situation, step: Step) -> Outcome | None:
    """Look for an unknown step; adopt what is found, plan again what is absent, otherwise look again later."""
    if step.unknown_since is None or step.first_sent_at is None:
        raise Bug(f"step {step.id} is unknown since no time")
    quiet = step.unknown_since + desk.timings.look_first - desk.clock()
    if quiet > timedelta(0):
        return Snooze(quiet)
    candidates = await _candidates(desk, situation, step)
    if candidates is None:
        return None
    if isinstance(candidates, Pause):
        return candidates.outcome
    pause = await await_sync(desk, situation, step)
    if pause is not None:
        return pause.outcome
    return await _look_in_books(desk, situation, step, candidates)


async def _candidates(desk: Desk, situation: Situation, step: Step) -> list[PushOperation] | Pause | None:
    """Push operations that may be this step's and are not pending; None when its own one has decided the matter."""
    saga = situation.saga
    if step.push_operation_key is not None:
        own = await desk.codat.get_push_operation(saga.company_id, step.push_operation_key)
        if isinstance(own, Found):
            if await _decided_by(desk, step, own.value):
                return None
            return await _settled(desk, situation, step, [own.value])
        if not isinstance(own, NotFound):
            return Pause(await desk.unread(saga, own))
    since = (step.first_sent_at or desk.clock()) - desk.timings.clocks_differ
    reply = await desk.codat.list_push_operations(saga.company_id, since)
    if not isinstance(reply, Found):
        return Pause(await desk.unread(saga, reply))
    return await _settled(
        desk, situation, step, that_may_be(step, await _unclaimed(desk, situation, step, reply.value))
    )


async def _settled(
    desk: Desk, situation: Situation, step: Step, operations: list[PushOperation]
) -> list[PushOperation] | Pause:
    """The same push operations once none of them is pending."""
    pending = next((operation for operation in operations if operation.status is PushStatus.PENDING), None)
    if pending is None:
        return operations
    words = f"push operation {pending.key} is not finished and may be the one whose answer was lost"
    return Pause(await desk.stall(situation.saga, words, _next_look(desk, step)))


async def _decided_by(desk: Desk, step: Step, operation: PushOperation) -> bool:
    """Record a final status of the step's own push operation; False when it settles nothing."""
    if may_be_deleted_already(step, operation):
        return False
    if operation.status is PushStatus.FAILED or (
        operation.status is PushStatus.SUCCESS and written_record(step, operation) is not None
    ):
        await conclude(desk, step, operation)
        return True
    return False


async def _unclaimed(
    desk: Desk, situation: Situation, step: Step, operations: Sequence[PushOperation]
) -> list[PushOperation]:
    kind, connection_id = RECORD_KINDS[step.kind], situation.connection_of(step)
    alike = [
        operation
        for operation in operations
        if (operation.data_type or "").casefold() == kind.value.casefold()
        and operation.connection_id in (None, connection_id)
    ]
    async with desk.database.connection() as connection:
        claimed, _ = await store.claimed_by_others(
            connection, situation.saga.connection_id, step.id, [operation.key for operation in alike], []
        )
    return [operation for operation in alike if operation.key not in claimed]


async def _look_in_books(
    desk: Desk, situation: Situation, step: Step, candidates: Sequence[PushOperation]
) -> Outcome | None:
    mapping = situation.mappings.get(step.mapping_version)
    seen = await sightings(desk, situation, step, mapping)
    found: str | Doubt | Pause | None
    match seen:
        case Pause(outcome):
            return outcome
        case Unreadable():
            found = await line_by_history(desk, situation, step, candidates)
        case list() if step.kind is StepKind.DELETE_DIRECT_COST:
            found = await _deleted_record(desk, situation, step, seen)
        case list():
            found = await _ours(desk, situation, step, seen, candidates)
        case _:
            assert_never(seen)
    match found:
        case Pause(outcome):
            return outcome
        case Doubt() | None:
            return await _not_found(desk, situation, step, candidates, found)
        case str(record_id):
            await desk.record(step, step.adopted(record_id, _key_of(record_id, step, candidates)), *_FOUND, record_id)
            return None
        case _:
            assert_never(found)


_FOUND: Final = ("look", "found")


async def _deleted_record(desk: Desk, situation: Situation, step: Step, seen: Sequence[Sighting]) -> str | Doubt | None:
    async with desk.database.connection() as connection:
        record_id = await store.record_of_step(connection, step.compensates) if step.compensates else None
        if record_id is None or any(sighting.record_id == record_id for sighting in seen):
            return None
        _, claimed = await store.claimed_by_others(connection, situation.saga.connection_id, step.id, [], [record_id])
    return Doubt(f"record {record_id} is gone, and another saga says that it has deleted it") if claimed else record_id


async def _ours(
    desk: Desk, situation: Situation, step: Step, seen: Sequence[Sighting], candidates: Sequence[PushOperation]
) -> str | Doubt | Pause | None:
    """The record that is this step's: certain before likely, never one that another step has.

    A likely one that may yet turn out to be another step's is neither ours nor a proof of absence: look again later.
    """
    async with desk.database.connection() as connection:
        _, claimed = await store.claimed_by_others(
            connection, situation.saga.connection_id, step.id, [], [sighting.record_id for sighting in seen]
        )
        rival = await store.rival_of(connection, situation.saga.connection_id, step)
    if step.kind in CREATIONS and seen:
        return seen[0].record_id  # what goes by a name may be used by many
    free = [sighting for sighting in seen if sighting.record_id not in claimed]
    if free and free[0].is_certain:
        return free[0].record_id
    if free and rival is not None:
        await desk.keep(step.looking_anew())
        words = f"record {free[0].record_id} may be this one or saga {rival}'s; what that one has written comes first"
        return Pause(await _look_later(desk, situation, step, words))
    pushed = vouched(step, candidates)
    likely = next((sighting for sighting in free if sighting.record_id in pushed), None)
    if likely is not None:
        return likely.record_id
    doubt = await unexplained(desk, situation, step, candidates)
    if doubt is not None or not free:
        return doubt
    if free[0].match is Match.A_DAY_OFF:
        return Doubt(
            f"record {free[0].record_id} is like it but dated a day off, and no push operation says it wrote it"
        )
    return free[0].record_id


def _key_of(record_id: str, step: Step, candidates: Sequence[PushOperation]) -> UUID | None:
    return next((item.key for item in candidates if wrote(step, item, record_id)), step.push_operation_key)


async def _not_found(
    desk: Desk, situation: Situation, step: Step, candidates: Sequence[PushOperation], doubt: Doubt | None
) -> Outcome | None:
    """The books do not show it for certain: conclude what that proves, once they were read often enough."""
    if step.unknown_cause is None or step.unknown_since is None:
        raise Bug(f"step {step.id} is unknown for no reason")
    if doubt is None and step.unknown_cause is UnknownCause.DELETION_REFUSED and step.refusal is not None:
        refused = step.refused(step.refusal, desk.clock())
        await desk.record(step, refused, "look", "still in the books", step.refusal.words)
        return None
    timed_out = any(operation.status is PushStatus.TIMED_OUT for operation in candidates)
    may_still_come = timed_out or step.unknown_cause is UnknownCause.TIMED_OUT
    age = desk.clock() - step.unknown_since
    if may_still_come and age < desk.timings.late_write and not step.resend_allowed:
        await desk.keep(step.looking_anew())
        until = step.unknown_since + desk.timings.late_write
        later = f"the platform timed out and may still write it; it is looked for until {until:%Y-%m-%d %H:%M} UTC"
        return await _look_later(desk, situation, step, later)
    if step.syncs_seen + 1 < READINGS_FOR_PROOF:
        await desk.keep(step.seen_synced())
        if situation.saga.waiting_for is not WaitingFor.PERSON:  # who is asked again only if this look ends as the last
            await desk.carry_on(situation.saga)
        return Snooze(timedelta(0))
    words = _MAY_STILL_COME if may_still_come else doubt.words if doubt else _DOUBTS.get(step.unknown_cause)
    if words is None or step.resend_allowed:
        await desk.record(step, step.proven_absent(), "look", "proven absent", "planned again with a new key")
        return None
    return await _leave_to_person(desk, situation, step, words, doubt)


async def _leave_to_person(desk: Desk, situation: Situation, step: Step, words: str, doubt: Doubt | None) -> Outcome:
    reason = f"{words}; {_WHAT_A_PERSON_DOES}"
    if situation.saga.reason == reason:
        await desk.keep(step.looking_anew())  # its history says so already
    else:
        await desk.record(step, step.looking_anew(), "look", "not found", words)
    # What is in doubt may yet be claimed by another step, and then the doubt is gone without anybody's help.
    recheck = _next_look(desk, step) if doubt else None
    return await desk.wait(situation.saga, WaitingFor.PERSON, reason, recheck=recheck)


async def _look_later(desk: Desk, situation: Situation, step: Step, words: str) -> Outcome:
    """This look could not decide: when the next is, and once the step has been unknown for long, what it waits for."""
    delay = _next_look(desk, step)
    if _unknown_for(desk, step) < desk.timings.shown_after:
        return Snooze(delay)
    return await desk.wait(situation.saga, WaitingFor.CODAT, words, recheck=delay)


def _next_look(desk: Desk, step: Step) -> timedelta:
    return growing(_unknown_for(desk, step), first=desk.timings.look_first, longest=desk.timings.look_longest)


def _unknown_for(desk: Desk, step: Step) -> timedelta:
    return desk.clock() - step.unknown_since if step.unknown_since else timedelta(0)
