"""Push operations: a write is accepted at once and carried out later, unless something else was arranged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from worker.simulator.faults import Fault, FaultKind
from worker.simulator.rules import DataType
from worker.simulator.validation import VALIDATORS
from worker.simulator.wire import Document, ValidationItem, stamp, validation_document
from worker.simulator.world import Company, Connection, ConnectionStatus
from worker.simulator.writes import Outcome, Refused, Written


class PushStatus(StrEnum):
    """Codat's four states of a push operation."""

    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"


_STATUS_CODES = {PushStatus.PENDING: 202, PushStatus.SUCCESS: 200, PushStatus.FAILED: 400, PushStatus.TIMED_OUT: 408}


@dataclass(frozen=True, slots=True)
class Change:
    """What a push did to one record."""

    kind: str
    record_id: str
    data_type: DataType

    def document(self) -> Document:
        """Codat's change."""
        reference = {"id": self.record_id, "dataType": self.data_type}
        return {"type": self.kind, "recordRef": reference, "attachmentId": None}


@dataclass(slots=True)
class PushOperation:
    """One write. ``attempt`` carries it out; ``data`` is echoed in the response that accepted it."""

    key: str
    company: Company
    connection: Connection
    data_type: DataType
    verb: str
    requested_at: datetime
    attempt: Callable[[], Outcome]
    timeout_minutes: int | None = None
    syncs: bool = True
    data: Document | None = None
    status: PushStatus = PushStatus.PENDING
    completed_at: datetime | None = None
    error_message: str | None = None
    errors: tuple[ValidationItem, ...] = ()
    changes: list[Change] = field(default_factory=list)

    def document(self) -> Document:
        """Codat's push operation."""
        return {
            "changes": [change.document() for change in self.changes],
            "dataType": self.data_type,
            "companyId": self.company.id,
            "pushOperationKey": self.key,
            "dataConnectionKey": self.connection.id,
            "requestedOnUtc": stamp(self.requested_at),
            "completedOnUtc": None if self.completed_at is None else stamp(self.completed_at),
            "timeoutInMinutes": self.timeout_minutes,
            "status": self.status,
            "errorMessage": self.error_message,
            "validation": validation_document(self.errors),
            "statusCode": _STATUS_CODES[self.status],
        }


@dataclass(slots=True)
class PushDesk:
    """Takes push operations and sees them through. ``settled`` hears of every change of status."""

    now: Callable[[], datetime]
    after: Callable[[timedelta, Callable[[], None]], None]
    draw_delay: Callable[[], timedelta]
    settled: Callable[[PushOperation], None]
    operations: dict[str, PushOperation] = field(default_factory=dict)

    def accept(self, operation: PushOperation) -> None:
        """Remembers a new operation."""
        self.operations[operation.key] = operation

    def schedule(self, operation: PushOperation, fault: Fault | None) -> None:
        """Arranges its completion: after a drawn delay, or as the fault wants it."""
        if operation.timeout_minutes:
            self.after(timedelta(minutes=operation.timeout_minutes), lambda: self.time_out(operation))
        delay = self.draw_delay()
        match fault:
            case Fault(kind=FaultKind.PUSH_STAYS_PENDING):
                return
            case Fault(kind=FaultKind.PUSH_FAILS):
                error = ValidationItem(fault.item_id, fault.message, VALIDATORS[operation.data_type])
                self.after(delay, lambda: self.fail(operation, (error,)))
            case Fault(kind=FaultKind.PUSH_TIMES_OUT_THEN_SUCCEEDS):
                self.after(delay, lambda: self.time_out(operation))
                self.after(delay + fault.wait, lambda: self.complete(operation))
            case Fault(kind=FaultKind.PUSH_TIMES_OUT_BUT_WRITTEN):
                self.after(delay, lambda: self.time_out(operation))
                self.after(delay + fault.wait, lambda: self.write_silently(operation))
            case _:
                self.after(delay, lambda: self.complete(operation))

    def complete(self, operation: PushOperation) -> None:
        """The accounting software gets to the write; an operation already finished is left alone."""
        if operation.status in {PushStatus.SUCCESS, PushStatus.FAILED}:
            return
        if not operation.connection.connector_on:
            operation.connection.waiting.append(lambda: self.complete(operation))
            return
        if operation.connection.status is not ConnectionStatus.LINKED:
            self._finish(operation, PushStatus.FAILED, "The connection was lost before the write was carried out.")
            return
        match operation.attempt():
            case Written(record_id, data_type, change):
                operation.changes = [Change(change, record_id, data_type)]
                self._finish(operation, PushStatus.SUCCESS, None)
            case Refused(errors):
                self.fail(operation, errors)

    def fail(self, operation: PushOperation, errors: tuple[ValidationItem, ...]) -> None:
        """Ends the operation as refused by validation."""
        operation.errors = errors
        self._finish(operation, PushStatus.FAILED, "The write did not pass validation: see the validation object.")

    def time_out(self, operation: PushOperation) -> None:
        """Reports a pending operation as timed out; what becomes of the write is another matter."""
        if operation.status is PushStatus.PENDING:
            self._finish(operation, PushStatus.TIMED_OUT, "The push operation timed out.")

    def write_silently(self, operation: PushOperation) -> None:
        """Carries the write out and leaves the operation as it was."""
        operation.attempt()

    def _finish(self, operation: PushOperation, status: PushStatus, error: str | None) -> None:
        operation.status, operation.error_message, operation.completed_at = status, error, self.now()
        self.settled(operation)
