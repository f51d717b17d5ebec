"""Push operations: Codat's word for a write that is accepted now and carried out later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from worker import wire
from worker.codat.records import RecordKind, RecordRef
from worker.wire import JsonObject, UnreadableReplyError

RECORDS_OF: Final[dict[RecordKind, tuple[str, ...]]] = {
    **{kind: (kind.value,) for kind in RecordKind},
    RecordKind.DIRECT_COST: (RecordKind.DIRECT_COST.value, RecordKind.DIRECT_INCOME.value),
}
"""What a push of each kind may end as. On Xero a negative direct cost is written as a direct income."""


class PushStatus(StrEnum):
    """State of a push operation, by Codat's words."""

    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"

    @property
    def is_final(self) -> bool:
        """Codat will not change it any more. ``TimedOut`` is not: the platform may still apply the write."""
        return self in (PushStatus.SUCCESS, PushStatus.FAILED)


@dataclass(frozen=True, slots=True)
class ValidationItem:
    """One complaint about a request: the field (``itemId``), the words, and which validator said so."""

    item_id: str | None
    message: str
    validator_name: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a push did to one record (``Created``, ``Modified``, ``Deleted`` ...)."""

    type: str
    record_id: str | None
    data_type: str | None


@dataclass(frozen=True, slots=True)
class PushOperation:
    """A push operation as Codat reported it. Only its key and status are certain; all else may be absent.

    ``requested_on_utc`` is kept as the text received: two replies with the same one are the same reply, replayed.
    """

    key: UUID
    status: PushStatus
    company_id: UUID | None
    connection_id: UUID | None
    data_type: str | None
    status_code: int | None
    requested_on_utc: str | None
    requested_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    errors: tuple[ValidationItem, ...]
    warnings: tuple[ValidationItem, ...]
    changes: tuple[Change, ...]
    line_ids: tuple[str, ...] = ()
    """Our own ids of the bank lines that were pushed, where the request is echoed (``data``)."""

    def created_record(self, kind: RecordKind) -> RecordRef | None:
        """The record this push created, chosen by data type because one push may create several kinds.

        A change that does not name its data type is taken for the kind that was pushed.
        """
        return _changed_record(self.changes, "Created", RECORDS_OF[kind])

    def deleted_record(self, kind: RecordKind) -> RecordRef | None:
        """The record this push deleted, if it did."""
        return _changed_record(self.changes, "Deleted", RECORDS_OF[kind])


def _changed_record(changes: Sequence[Change], change_type: str, data_types: Sequence[str]) -> RecordRef | None:
    made = [change for change in changes if change.type.casefold() == change_type.casefold() and change.record_id]
    for data_type in data_types:
        for change in made:
            if change.record_id and (change.data_type or data_types[0]).casefold() == data_type.casefold():
                return RecordRef(change.record_id, data_type)
    return None


def parse_push_operation(document: JsonObject) -> PushOperation:
    """Read a push operation; raises :class:`UnreadableReplyError` only when it has no usable key.

    A status this version does not know is read as pending: nothing final is concluded from a word not understood.
    """
    key = wire.identifier(document, "pushOperationKey")
    if key is None:
        raise UnreadableReplyError("the reply has no pushOperationKey")
    status_code = document.get("statusCode")
    validation = wire.child(document, "validation")
    return PushOperation(
        key=key,
        status=_status(wire.text(document, "status")),
        company_id=wire.identifier(document, "companyId"),
        connection_id=wire.identifier(document, "dataConnectionKey"),
        data_type=wire.text(document, "dataType"),
        status_code=status_code if isinstance(status_code, int) else None,
        requested_on_utc=wire.text(document, "requestedOnUtc"),
        requested_at=wire.moment(document, "requestedOnUtc"),
        completed_at=wire.moment(document, "completedOnUtc"),
        error_message=wire.text(document, "errorMessage"),
        errors=parse_validation(validation, "errors"),
        warnings=parse_validation(validation, "warnings"),
        changes=tuple(_change(item) for item in wire.children(document, "changes")),
        line_ids=tuple(
            line_id
            for line in wire.children(wire.child(document, "data"), "transactions")
            if (line_id := wire.text(line, "id")) is not None
        ),
    )


def parse_validation(validation: JsonObject, name: str) -> tuple[ValidationItem, ...]:
    """The ``errors`` or ``warnings`` of a validation object, which may be absent or null."""
    return tuple(
        ValidationItem(wire.text(item, "itemId"), wire.text(item, "message") or "", wire.text(item, "validatorName"))
        for item in wire.children(validation, name)
    )


def _status(word: str | None) -> PushStatus:
    by_word = {status.value.casefold(): status for status in PushStatus}
    return by_word.get((word or "").casefold(), PushStatus.PENDING)


def _change(item: JsonObject) -> Change:
    record = wire.child(item, "recordRef")
    return Change(wire.text(item, "type") or "Unknown", wire.text(record, "id"), wire.text(record, "dataType"))
