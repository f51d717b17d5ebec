"""Reading the borrower's books for a record a step may have written. Codat shows only what it has synchronised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from worker import wire
from worker.codat.matching import Match, fingerprint_of_body
from worker.codat.matching import match as compare
from worker.codat.records import RecordKind
from worker.codat.replies import Found, NotFound, NotReady, ReadReply, Refused
from worker.errors import Bug
from worker.jobs.job import Outcome, Snooze
from worker.wire import JsonObject
from worker.writeback import store
from worker.writeback.connections import linked_connection
from worker.writeback.desk import Desk, Pause
from worker.writeback.mapping import Mapping
from worker.writeback.plan import StepKind
from worker.writeback.situation import RECORD_KINDS, Saga, Situation, Step, WaitingFor
from worker.writeback.timings import growing

DAYS_AROUND: Final = timedelta(days=1)
"""Platforms keep dates in their own time zone, so a record may be listed a day off."""

POLLS_IN_AGE: Final = 30
"""A requested reading is first asked after once a thirtieth of the time the step has been unknown is over."""

NOT_SUPPORTED: Final = "NotSupported"
"""Codat's word for a kind of data that a platform does not have."""

FAILED_READINGS: Final = frozenset(
    {
        "FetchError",
        "MapError",
        "InternalError",
        "ProcessingError",
        "ValidationError",
        "AuthError",
        "Cancelled",
        "RateLimitError",
        "PermissionsError",
        "PrerequisiteNotMet",
    }
)
"""Codat's words for a reading of the books that came to nothing."""

_DATE_FIELDS: Final = {
    RecordKind.TRANSFER: "date",
    RecordKind.DIRECT_COST: "issueDate",
    RecordKind.DIRECT_INCOME: "issueDate",
    RecordKind.BANK_TRANSACTION: "clearedOnDate",
}
NAME_FIELDS: Final = {
    RecordKind.BANK_ACCOUNT: "accountName",
    RecordKind.ACCOUNT: "name",
    RecordKind.SUPPLIER: "supplierName",
}
"""What a created account or supplier is found again by."""

_BEST_FIRST: Final = (Match.EXACT, Match.LIKELY, Match.A_DAY_OFF)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record in the books that is, or may be, the step's, and how well it matches."""

    record_id: str
    match: Match

    @property
    def is_certain(self) -> bool:
        """It carries the step's own reference or name."""
        return self.match is Match.EXACT


@dataclass(frozen=True, slots=True)
class Unreadable:
    """This kind of record cannot be read from this platform at all."""


def kinds_to_read(step: Step) -> tuple[RecordKind, ...]:
    """Where the record may be listed: a cost given back becomes a direct income on some platforms."""
    kind = RECORD_KINDS[step.kind]
    if kind is RecordKind.DIRECT_COST and step.amount > 0:
        return (RecordKind.DIRECT_COST, RecordKind.DIRECT_INCOME)
    return (kind,)


async def await_sync(desk: Desk, situation: Situation, step: Step) -> Pause | None:
    """Have Codat read the books again; None once a reading has ended since it was asked for."""
    saga = situation.saga
    reply = await desk.codat.data_status(saga.company_id)
    if not isinstance(reply, Found):
        return Pause(await desk.unread(saga, reply))
    asked_ago = desk.clock() - step.sync_requested_at if step.sync_requested_at else None
    kinds = [kind for kind in kinds_to_read(step) if not _is_left_out(desk, reply.value, kind, asked_ago)]
    if asked_ago is not None:
        if all(_is_read_again(step, kind, _last_sync(reply.value, kind)) for kind in kinds):
            return None
        if asked_ago < _patience(desk, step):
            if saga.stalled_since is not None:
                await desk.carry_on(saga)  # Codat answers again
            return Pause(await _keep_waiting(desk, saga, reply.value, kinds, asked_ago))
    linked = await linked_connection(desk, saga, saga.connection_id)
    if isinstance(linked, Pause):
        return linked
    for kind in kinds:
        queued = await desk.codat.queue_sync(saga.company_id, saga.connection_id, kind)
        if isinstance(queued, NotFound | Refused) and kind is RecordKind.BANK_TRANSACTION:
            return None  # lines that no sync covers cannot be read either, and reading them will say so
        if not isinstance(queued, Found | NotFound | Refused):
            return Pause(await desk.unread(saga, queued))
    if saga.stalled_since is not None or (asked_ago is None and saga.waiting_for is WaitingFor.CONNECTION):
        # Codat answers and the borrower is connected; whatever else is waited for only the look itself can end.
        await desk.carry_on(saga)
    await desk.keep(step.asking_for_sync({kind: _last_sync(reply.value, kind) for kind in kinds}, desk.clock()))
    return Pause(Snooze(_first_poll(desk, step)))


def _is_left_out(desk: Desk, status: JsonObject, kind: RecordKind, asked_ago: timedelta | None) -> bool:
    """A platform without direct incomes is never waited for: it keeps a cost given back as a negative direct cost."""
    if kind is not RecordKind.DIRECT_INCOME:
        return False
    known = wire.child(status, kind.value)
    if not known or wire.text(known, "currentStatus") == NOT_SUPPORTED:
        return True
    in_vain = asked_ago is not None and asked_ago >= desk.timings.sync_patience
    return in_vain and _last_sync(status, kind) is None


def _patience(desk: Desk, step: Step) -> timedelta:
    # The longer a step is unknown, the less another request for a reading is worth.
    unknown_for = timedelta(0)
    if step.sync_requested_at is not None and step.unknown_since is not None:
        unknown_for = step.sync_requested_at - step.unknown_since
    return growing(unknown_for, first=desk.timings.sync_patience, longest=desk.timings.look_longest)


def _first_poll(desk: Desk, step: Step) -> timedelta:
    # Requests are counted by the day: a step that has been unknown for an hour can wait two minutes for its reading.
    unknown_for = desk.clock() - step.unknown_since if step.unknown_since else timedelta(0)
    return growing(unknown_for / POLLS_IN_AGE, first=desk.timings.sync_poll, longest=desk.timings.shown_after)


async def _keep_waiting(
    desk: Desk, saga: Saga, status: JsonObject, kinds: Sequence[RecordKind], asked_ago: timedelta
) -> Outcome:
    delay = growing(asked_ago, first=desk.timings.sync_poll, longest=desk.timings.look_longest)
    for kind in kinds:
        word = wire.text(wire.child(status, kind.value), "currentStatus")
        if word in FAILED_READINGS:
            words = (
                f"Codat could not read the borrower's {kind.value} again ({word}), so a lost write cannot be looked for"
            )
            return await desk.wait(saga, WaitingFor.CONNECTION, words, recheck=delay)
    if asked_ago < desk.timings.shown_after:
        return Snooze(delay)
    words = f"Codat has not yet read the borrower's {' and '.join(kinds)} again, so a lost write cannot be looked for"
    return await desk.wait(saga, WaitingFor.CODAT, words, recheck=delay)


def _last_sync(status: JsonObject, kind: RecordKind) -> datetime | None:
    return wire.moment(wire.child(status, kind.value), "lastSuccessfulSync")


def _is_read_again(step: Step, kind: RecordKind, moment: datetime | None) -> bool:
    """Whether a reading of this kind has ended since this very kind was asked for."""
    if step.sync_baseline is None or kind not in step.sync_baseline or moment is None:
        return False
    before = step.sync_baseline[kind]
    return before is None or moment > before


async def sightings(
    desk: Desk, situation: Situation, step: Step, mapping: Mapping | None
) -> list[Sighting] | Unreadable | Pause:
    """Every record in the books that is or may be this step's, certain ones first."""
    found: list[Sighting] = []
    target = await _target(desk, step)
    for kind in kinds_to_read(step):
        reply = await _list(desk, situation.saga, kind, _query(step, kind, target), mapping)
        match reply:
            case Found(records) if target is not None:
                found += [Sighting(target, Match.EXACT) for record in records if _is_present(record, target)]
            case Found(records):
                found += _recognised(step, kind, records)
            case NotFound() | Refused() | NotReady() if kind is RecordKind.BANK_TRANSACTION:
                return Unreadable()
            case NotFound() | NotReady() if kind is RecordKind.DIRECT_INCOME:
                continue  # a platform without direct incomes keeps a negative direct cost as one
            case _:
                return Pause(await desk.unread(situation.saga, reply))
    return sorted(found, key=lambda sighting: (_BEST_FIRST.index(sighting.match), sighting.record_id))


async def _target(desk: Desk, step: Step) -> str | None:
    """What a deletion is about. It has no body to compare records with, and needs none: it names its record."""
    if step.kind is not StepKind.DELETE_DIRECT_COST or step.compensates is None:
        return None
    async with desk.database.connection() as connection:
        return await store.record_of_step(connection, step.compensates)


def _is_present(record: JsonObject, record_id: str) -> bool:
    return wire.text(record, "id") == record_id and wire.child(record, "metadata").get("isDeleted") is not True


def _query(step: Step, kind: RecordKind, target: str | None) -> str:
    if target is not None:
        return f"id={target}"
    field = _DATE_FIELDS.get(kind)
    if field is None or step.date is None:
        return ""
    return f"{field}>={step.date - DAYS_AROUND}&&{field}<={step.date + 2 * DAYS_AROUND}"


async def _list(
    desk: Desk, saga: Saga, kind: RecordKind, query: str, mapping: Mapping | None
) -> ReadReply[list[JsonObject]]:
    account = mapping.lender_account_id if mapping and kind is RecordKind.BANK_TRANSACTION else None
    return await desk.codat.list_records(kind, saga.company_id, saga.connection_id, query, bank_account_id=account)


def _recognised(step: Step, kind: RecordKind, records: Sequence[JsonObject]) -> list[Sighting]:
    if step.body is None:
        raise Bug(f"step {step.id} is looked for but was never sent")
    if kind in NAME_FIELDS:
        wanted = wire.text(wire.decode_object(step.body), NAME_FIELDS[kind]) or ""
        return [Sighting(record_id, Match.EXACT) for record_id in named(records, kind, wanted)]
    expected = fingerprint_of_body(RECORD_KINDS[step.kind], step.reference, step.body)
    verdicts = [(wire.text(record, "id"), compare(expected, record, kind)) for record in records]
    return [
        Sighting(record_id, verdict)
        for record_id, verdict in verdicts
        if record_id is not None and verdict is not Match.NO
    ]


def named(records: Sequence[JsonObject], kind: RecordKind, name: str) -> list[str]:
    """Ids of the usable records of this name; case and surrounding space do not tell two suppliers apart.

    Of accounts only those for expenses are meant: no other kind is ever created by its name.
    """
    wanted = name.strip().casefold()
    return sorted(
        record_id
        for record in records
        if (wire.text(record, NAME_FIELDS[kind]) or "").strip().casefold() == wanted
        and wire.text(record, "status") != "Archived"
        and (kind is not RecordKind.ACCOUNT or wire.text(record, "type") in (None, "Expense"))
        and wire.child(record, "metadata").get("isDeleted") is not True
        and (record_id := wire.text(record, "id")) is not None
    )
