"""What Codat says in its webhooks: the new service's messages and the older rules' ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from worker.simulator.pushes import PushOperation, PushStatus
from worker.simulator.rules import DataType
from worker.simulator.wire import Document, stamp
from worker.simulator.world import Company, Connection, SourceAccount

CLIENT_ID: Final = "00000000-0000-4000-8000-000000000001"
"""The one client of a simulator."""

_CLIENT_NAME: Final = "Simulated lender"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the new service; None for a company means it is about the client as a whole."""

    id: str
    event_type: str
    payload: Document
    company: Company | None

    def document(self, now: datetime) -> Document:
        """The envelope."""
        return {"id": self.id, "eventType": self.event_type, "generatedDate": stamp(now), "payload": self.payload}


@dataclass(frozen=True, slots=True)
class LegacyMessage:
    """One alert of the older rules service."""

    alert_id: str
    rule_type: str
    company: Company
    connection: Connection
    text: str
    data: Document

    def document(self) -> Document:
        """The envelope, in its PascalCase."""
        return {
            "ClientId": CLIENT_ID,
            "ClientName": _CLIENT_NAME,
            "CompanyId": self.company.id,
            "DataConnectionId": self.connection.id,
            "RuleId": str(uuid5(UUID(CLIENT_ID), self.rule_type)),
            "RuleType": self.rule_type,
            "AlertId": self.alert_id,
            "Message": self.text,
            "Data": self.data,
        }


def write_finished(message_id: str, operation: PushOperation, status: PushStatus) -> Message:
    """A push operation reached ``status``; an unsuccessful one says nothing about why."""
    succeeded = status is PushStatus.SUCCESS
    record_id = operation.changes[0].record_id if succeeded and operation.changes else None
    payload = {
        "id": operation.key,
        "type": operation.verb,
        "referenceCompany": operation.company.reference(),
        "connectionId": operation.connection.id,
        "requestedOnDate": stamp(operation.requested_at),
        "completedOnDate": None if operation.completed_at is None else stamp(operation.completed_at),
        "status": status,
        "record": None if record_id is None else {"id": record_id},
        "attachmentId": None,
    }
    outcome = "successful" if succeeded else "unsuccessful"
    return Message(message_id, f"{operation.data_type}.write.{outcome}", payload, operation.company)


def connection_changed(message_id: str, event_type: str, company: Company, connection: Connection) -> Message:
    """A connection was created, connected, disconnected, reconnected or deleted."""
    payload = {"referenceCompany": company.reference(), "connection": connection.document(company.id)}
    return Message(message_id, event_type, payload, company)


def feed_changed(
    message_id: str, company: Company, connection: Connection, source: SourceAccount, word: str
) -> Message:
    """A source account was connected or disconnected."""
    payload = {
        "referenceCompany": company.reference(),
        "connectionId": connection.id,
        "sourceAccount": source.document(),
    }
    return Message(message_id, f"bankFeeds.sourceAccount.{word}", payload, company)


def read_completed(
    message_id: str, company: Company, connection: Connection, data_types: Sequence[DataType]
) -> Message:
    """A sync of these data types finished."""
    payload = {
        "referenceCompany": company.reference(),
        "modifiedFromDate": None,
        "dataTypes": [
            {"connectionId": connection.id, "dataType": name, "recordsModified": True, "status": "Complete"}
            for name in data_types
        ],
    }
    return Message(message_id, "read.completed", payload, company)


def rate_limit(message_id: str, word: str, quota: int, remaining: int, expires_at: datetime) -> Message:
    """The client's daily quota was ``reached`` or ``reset``."""
    payload = {"dailyQuota": quota, "quotaRemaining": remaining, "expiryDate": stamp(expires_at)}
    return Message(message_id, f"client.rateLimit.{word}", payload, None)


def legacy_push_status(alert_id: str, operation: PushOperation) -> LegacyMessage:
    """The older service's word on a push; its rule name really ends in parentheses."""
    text = f"{operation.data_type} triggered notification for PushOperationStatusChanged at {operation.key}"
    data = {
        "dataType": operation.data_type,
        "status": operation.status,
        "pushOperationKey": operation.key,
    }
    return LegacyMessage(
        alert_id, "Push Operation Status Changed()", operation.company, operation.connection, text, data
    )


def legacy_push_timed_out(alert_id: str, operation: PushOperation) -> LegacyMessage:
    """The older service's separate word on a push that ran out of time."""
    data = {
        "dataType": operation.data_type,
        "pushOperationKey": operation.key,
        "pushOperationGuid": operation.key,
    }
    text = f"{operation.data_type} push {operation.key} timed out"
    return LegacyMessage(alert_id, "Push Operation Timed Out", operation.company, operation.connection, text, data)


def legacy_connection_status(alert_id: str, company: Company, connection: Connection, old_status: str) -> LegacyMessage:
    """The older service's word on a connection."""
    data = {
        "dataConnectionId": connection.id,
        "newStatus": connection.status,
        "oldStatus": old_status,
        "platformKey": connection.platform.key,
    }
    text = f"Data connection status changed from {old_status} to {connection.status}"
    return LegacyMessage(alert_id, "DataConnectionStatusChanged", company, connection, text, data)


def legacy_sync_completed(
    alert_id: str, dataset_id: str, company: Company, connection: Connection, data_type: DataType
) -> LegacyMessage:
    """The older service's word on a sync."""
    text = f"Data for {data_type} was synchronized"
    data = {"dataType": data_type, "datasetId": dataset_id}
    return LegacyMessage(alert_id, "Data sync completed", company, connection, text, data)
