"""Bulk requests and results in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from worker.api.bulk_objects import (
    Action,
    BulkRequest,
    BulkResult,
    EntityType,
    ListedEntityType,
    ListedResourceType,
    Outcome,
    RequestStatus,
    ResourceType,
    ResultStatus,
)
from worker.api.metadata import metadata_filter
from worker.api.query import Page
from worker.database import Connection, query

RETENTION: Final = timedelta(days=90)
"""How long a bulk request and its results can be read after its completion: as long as its events."""

REFUSALS: Final = ("22", "23", "54", "LW")
"""Classes of the database's refusals: impossible data, violated constraints, exceeded limits, and the ledger's own
(sql/migrations/0003_ledger.sql). No repetition helps, but for a unique value that another process wrote just then."""


@dataclass(frozen=True, slots=True)
class NewBulkRequest:
    """A bulk request to keep; ``resources`` are JSON texts."""

    action: Action
    resource_type: ResourceType
    metadata: Mapping[str, str]
    resources: Sequence[str]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which bulk requests a list shows."""

    status: RequestStatus | None
    resource_type: ListedResourceType | None
    action: Action | None
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results a list shows."""

    status: ResultStatus | None
    request_id: UUID | None
    entity_type: ListedEntityType | None
    entity_id: UUID | None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that was not tried yet: the id of its result, and what was sent, as JSON text."""

    id: UUID
    params: str


async def insert_request(connection: Connection, new: NewBulkRequest) -> BulkRequest:
    """Keep a bulk request and its resources."""
    row = await connection.fetchrow(
        query("api/insert_bulk_request"),
        new.action,
        new.resource_type,
        json.dumps(dict(new.metadata)),
        list(new.resources),
    )
    assert row is not None
    return _request(row)


async def find_request(connection: Connection, request_id: UUID) -> BulkRequest | None:
    """A bulk request, None when there is none."""
    row = await connection.fetchrow(query("api/find_bulk_request"), request_id)
    return None if row is None else _request(row)


async def lock_request(connection: Connection, sequence: int) -> BulkRequest | None:
    """Hold the bulk request of a job until the transaction ends."""
    row = await connection.fetchrow(query("api/lock_bulk_request"), sequence)
    return None if row is None else _request(row)


async def list_requests(connection: Connection, which: RequestFilter, page: Page) -> list[BulkRequest]:
    """Bulk requests, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_bulk_requests"),
        which.status,
        which.resource_type,
        which.action,
        metadata_filter(which.metadata),
        page.after,
        page.and_one_more,
    )
    return [_request(row) for row in rows]


async def pending_resources(connection: Connection, request_id: UUID, most: int) -> list[Resource]:
    """The next resources to try, in the order they were sent."""
    rows = await connection.fetch(query("api/pending_bulk_results"), request_id, most)
    return [Resource(row["id"], row["params"]) for row in rows]


async def save_outcomes(connection: Connection, request_id: UUID, outcomes: Mapping[UUID, Outcome]) -> BulkRequest:
    """Put down what became of resources, by the ids of their results; the request as it then stands."""
    row = await connection.fetchrow(
        query("api/save_bulk_results"),
        request_id,
        list(outcomes),
        [outcome.entity_type for outcome in outcomes.values()],
        [outcome.entity_id for outcome in outcomes.values()],
        [outcome.entity for outcome in outcomes.values()],
    )
    assert row is not None
    return _request(row)


async def list_results(connection: Connection, which: ResultFilter, page: Page) -> list[BulkResult]:
    """Results of resources that were tried, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_bulk_results"),
        which.status,
        which.request_id,
        which.entity_type,
        which.entity_id,
        page.after,
        page.and_one_more,
    )
    return [_result(row) for row in rows]


async def find_result(connection: Connection, result_id: UUID) -> BulkResult | None:
    """The result of a resource that was tried, None when there is none."""
    row = await connection.fetchrow(query("api/find_bulk_result"), result_id)
    return None if row is None else _result(row)


async def prune_results(connection: Connection, most: int) -> int:
    """Forget some results of requests that completed long ago; how many they were."""
    status = await connection.execute(query("api/prune_bulk_results"), RETENTION, most)
    return int(status.rpartition(" ")[2])


async def prune_requests(connection: Connection, most: int) -> int:
    """Forget some requests that completed long ago and whose results are forgotten; how many they were."""
    status = await connection.execute(query("api/prune_bulk_requests"), RETENTION, most)
    return int(status.rpartition(" ")[2])


def is_refusal(error: Exception) -> bool:
    """Whether the database said that it will never take what it was given."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(REFUSALS)


def _request(row: asyncpg.Record) -> BulkRequest:
    return BulkRequest(
        sequence=row["sequence"],
        id=row["id"],
        action=Action(row["action_type"]),
        resource_type=ResourceType(row["resource_type"]),
        status=RequestStatus(row["status"]),
        total=row["total_resource_count"],
        successful=row["success_result_count"],
        failed=row["failed_result_count"],
        metadata=json.loads(row["metadata"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _result(row: asyncpg.Record) -> BulkResult:
    return BulkResult(
        id=row["id"],
        request_id=row["request_id"],
        status=ResultStatus(row["status"]),
        params=json.loads(row["params"]),
        entity_type=EntityType(row["entity_type"]),
        entity_id=row["entity_id"],
        entity=json.loads(row["entity"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
