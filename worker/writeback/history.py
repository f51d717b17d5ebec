"""What Codat's push history says of a step whose record the books do not show for certain.

A push that succeeded has written something. One that nobody claims and that cannot be told from the step's own is a
doubt, never a proof of absence: a person decides, because the other mistake would write the record twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker import wire
from worker.codat.matching import fingerprint_of_body, is_another
from worker.codat.payloads import bank_transaction_id
from worker.codat.push_operation import PushOperation, PushStatus
from worker.codat.records import RecordKind, RecordRef
from worker.codat.replies import Found, NotFound, NotReady, Refused
from worker.errors import Bug
from worker.wire import JsonObject
from worker.writeback import store
from worker.writeback.desk import Desk, Pause
from worker.writeback.following import written_record
from worker.writeback.looking import NAME_FIELDS, named
from worker.writeback.plan import StepKind
from worker.writeback.situation import RECORD_KINDS, Situation, Step


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that may be the step's and may be another's: only a person can tell."""

    words: str


def that_may_be(step: Step, operations: Sequence[PushOperation]) -> list[PushOperation]:
    """The step's own push operation when it is known, otherwise all of them.

    None is ruled out because it was requested late: that would take two clocks that agree for a proof of absence.
    """
    return [operation for operation in operations if operation.key == step.push_operation_key] or list(operations)


def vouched(step: Step, operations: Sequence[PushOperation]) -> set[str]:
    """Ids of the records that these push operations say they wrote."""
    records = [
        operation.created_record(RECORD_KINDS[step.kind])
        for operation in operations
        if operation.status is PushStatus.SUCCESS
    ]
    return {record.id for record in records if record is not None}


def wrote(step: Step, operation: PushOperation, record_id: str) -> bool:
    """Whether a push operation succeeded with this record. One of a line that names no other line did."""
    if operation.status is not PushStatus.SUCCESS:
        return False
    if step.kind is StepKind.BANK_TRANSACTION:
        named_ids = (*operation.line_ids, *_changed_ids(operation))
        return not named_ids or record_id in named_ids
    return written_record(step, operation) == record_id


async def line_by_history(
    desk: Desk, situation: Situation, step: Step, operations: Sequence[PushOperation]
) -> str | Doubt | None:
    """The line's id when an operation is surely the step's, for statements that cannot be read.

    An operation that names our line is. One that names no line is when it is the only one and no other step waits for
    its own. One that echoes other lines is somebody else's.
    """
    line_id = bank_transaction_id(step.reference)
    succeeded = [operation for operation in operations if operation.status is PushStatus.SUCCESS]
    open_ones = [item for item in succeeded if not item.line_ids or line_id in item.line_ids]
    if any(line_id in (*item.line_ids, *_changed_ids(item)) for item in open_ones):
        return line_id
    if not open_ones:
        return None
    async with desk.database.connection() as connection:
        rival = await store.rival_of(connection, situation.saga.connection_id, step)
    if len(open_ones) == 1 and not _changed_ids(open_ones[0]) and rival is None:
        return line_id
    return _doubt(open_ones[0])


async def unexplained(
    desk: Desk, situation: Situation, step: Step, operations: Sequence[PushOperation]
) -> Doubt | Pause | None:
    """The doubt that a push which succeeded leaves, unless its record is another step's or differs from this one's."""
    if step.kind is StepKind.DELETE_DIRECT_COST:
        return None  # whether the cost is still there is seen in the books; who has deleted it does not matter
    for operation in operations:
        if operation.status is not PushStatus.SUCCESS:
            continue
        record = operation.created_record(RECORD_KINDS[step.kind])
        excluded = record is not None and await _is_excluded(desk, situation, step, record)
        if isinstance(excluded, Pause):
            return excluded
        if not excluded:
            return _doubt(operation)
    return None


async def _is_excluded(desk: Desk, situation: Situation, step: Step, record: RecordRef) -> bool | Pause:
    saga, kind = situation.saga, RecordKind(record.data_type)
    async with desk.database.connection() as connection:
        _, claimed = await store.claimed_by_others(connection, saga.connection_id, step.id, [], [record.id])
    if claimed:
        return True
    mapping = situation.mappings.get(step.mapping_version)
    account = mapping.lender_account_id if mapping and kind is RecordKind.BANK_TRANSACTION else None
    reply = await desk.codat.list_records(
        kind, saga.company_id, saga.connection_id, f"id={record.id}", bank_account_id=account
    )
    match reply:
        case Found(records):
            listed = [item for item in records if wire.text(item, "id") == record.id]
            return bool(listed) and all(_is_another(step, kind, item) for item in listed)
        case NotFound() | NotReady() | Refused():
            return False
        case _:
            return Pause(await desk.unread(saga, reply))


def _is_another(step: Step, kind: RecordKind, record: JsonObject) -> bool:
    if step.body is None:
        raise Bug(f"step {step.id} is looked for but was never sent")
    if kind in NAME_FIELDS:
        wanted = wire.text(wire.decode_object(step.body), NAME_FIELDS[kind]) or ""
        return not named([record], kind, wanted)
    return is_another(fingerprint_of_body(RECORD_KINDS[step.kind], step.reference, step.body), record, kind)


def _changed_ids(operation: PushOperation) -> list[str]:
    return [change.record_id for change in operation.changes if change.record_id]


def _doubt(operation: PushOperation) -> Doubt:
    wrote = f" (record {', '.join(ids)})" if (ids := _changed_ids(operation)) else ""
    return Doubt(f"push operation {operation.key} succeeded{wrote} and may be this one, or another program's")
