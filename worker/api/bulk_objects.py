"""Bulk requests and what became of their resources, and both as the JSON of the API. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from worker.api.render import render_head
from worker.errors import Rejected
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


class RequestStatus(StrEnum):
    """How far a bulk request is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"


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


def error_outcome(refused: Rejected, error_id: UUID, now: str) -> Outcome:
    """A refusal as the bulk error that stands for the object."""
    error = {"code": refused.code, "message": refused.detail}
    if refused.field is not None:
        error["parameter"] = refused.field
    entity = {
        "id": str(error_id),
        "object": "bulk_error",
        "live_mode": False,
        "created_at": now,
        "updated_at": now,
        "request_errors": [error],
    }
    return Outcome(EntityType.BULK_ERROR, error_id, json.dumps(entity))


def render_bulk_request(request: BulkRequest) -> dict[str, object]:
    """A bulk request."""
    return {
        **render_head(request.id, "bulk_request", request.created_at, request.updated_at),
        "action_type": request.action,
        "resource_type": request.resource_type,
        "status": request.status,
        "total_resource_count": request.total,
        "success_result_count": request.successful,
        "failed_result_count": request.failed,
        "metadata": request.metadata,
    }


def render_bulk_result(result: BulkResult) -> dict[str, object]:
    """A bulk result. Parameters are a map of strings in the specification: any other value is shown as its JSON."""
    return {
        **render_head(result.id, "bulk_result", result.created_at, result.updated_at),
        "request_id": str(result.request_id),
        "request_type": "bulk_request",
        "status": result.status,
        "request_params": {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in result.params.items()
        },
        "entity_id": str(result.entity_id),
        "entity_type": result.entity_type,
        "entity": result.entity,
    }


def encode(value: object) -> str:
    """A value that was read strictly as the JSON it came from, its numbers digit for digit."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{encode(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)
