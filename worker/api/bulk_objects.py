"""Bulk requests and what became of their resources. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from worker.strict_json import Number


class Action(StrEnum):
    """What is to be done with every resource of a bulk request."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class ResourceType(StrEnum):
    """What the resources are; Modern Treasury's bulk requests of other types belong to payments."""

    LEDGER_ACCOUNT = "ledger_account"
    LEDGER_TRANSACTION = "ledger_transaction"


class ListedResourceType(StrEnum):
    """What bulk requests can be listed by: those of payments may be asked for, and there are none."""

    PAYMENT_ORDER = "payment_order"
    LEDGER_ACCOUNT = "ledger_account"
    LEDGER_TRANSACTION = "ledger_transaction"
    EXPECTED_PAYMENT = "expected_payment"
    TRANSACTION = "transaction"
    TRANSACTION_LINE_ITEM = "transaction_line_item"


class RequestStatus(StrEnum):
    """How far a bulk request is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"


class RequestType(StrEnum):
    """What results belong to; Modern Treasury has imports, too."""

    BULK_REQUEST = "bulk_request"


class ResultStatus(StrEnum):
    """What became of a resource; a pending one is not shown."""

    PENDING = "pending"
    SUCCESSFUL = "successful"
    FAILED = "failed"


class EntityType(StrEnum):
    """What a result shows."""

    LEDGER_ACCOUNT = "ledger_account"
    LEDGER_TRANSACTION = "ledger_transaction"
    BULK_ERROR = "bulk_error"


class ListedEntityType(StrEnum):
    """What results can be listed by, in the same way."""

    PAYMENT_ORDER = "payment_order"
    LEDGER_ACCOUNT = "ledger_account"
    LEDGER_TRANSACTION = "ledger_transaction"
    EXPECTED_PAYMENT = "expected_payment"
    TRANSACTION = "transaction"
    TRANSACTION_LINE_ITEM = "transaction_line_item"
    BULK_ERROR = "bulk_error"


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A bulk request; ``sequence`` is the subject of its job."""

    sequence: int
    id: UUID
    action: Action
    resource_type: ResourceType
    status: RequestStatus
    total: int
    successful: int
    failed: int
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one resource; ``params`` and ``entity`` are JSON values."""

    id: UUID
    request_id: UUID
    status: ResultStatus
    params: dict[str, Any]
    entity_type: EntityType
    entity_id: UUID
    entity: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What trying a resource led to: the object, or a bulk error; ``entity`` is JSON text."""

    entity_type: EntityType
    entity_id: UUID
    entity: str


def encode(value: object) -> str:
    """A value that was read strictly as the JSON it came from, its numbers digit for digit."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{encode(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)
