"""Mapping versions in PostgreSQL. Services open the transactions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from worker.database import Connection, query
from worker.writeback.configure.request import MappingRequest, read_mapping_request, request_document
from worker.writeback.mapping import MappingState
from worker.writeback.plan import StepKind


@dataclass(frozen=True, slots=True)
class NewMapping:
    """A version to store; ids that have to be created first are None."""

    company_id: UUID
    connection_id: UUID
    request: MappingRequest
    feed_connection_id: UUID
    lender_account_id: str | None
    lender_feed_id: str | None
    expense_account_id: str | None
    supplier_id: str | None
    supplier_name: str


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A version as it stands, with the request it came from."""

    company_id: UUID
    connection_id: UUID
    version: int
    state: MappingState
    reason: str | None
    request: MappingRequest
    feed_connection_id: UUID
    lender_account_id: str | None
    lender_feed_id: str | None
    borrower_account_id: str
    expense_account_id: str | None
    supplier_id: str | None
    created_at: datetime


async def lock_mapping(connection: Connection, connection_id: UUID) -> None:
    """Make versions of one connection's mapping one after the other until this transaction ends."""
    await connection.execute(query("writeback/configure/lock_mapping"), connection_id)


async def insert_mapping(connection: Connection, new: NewMapping, state: MappingState, now: datetime) -> int:
    """Store the next version and return its number."""
    request = new.request
    version: int = await connection.fetchval(
        query("writeback/configure/insert_mapping"),
        new.connection_id,
        new.company_id,
        request.profile,
        request.currency,
        request.enabled,
        request.lender_kind,
        new.lender_account_id,
        new.lender_feed_id,
        new.feed_connection_id,
        request.borrower_account_id,
        new.expense_account_id,
        new.supplier_id,
        new.supplier_name,
        request.tax_rate_id,
        state,
        json.dumps(request_document(request)),
        now,
    )
    return version


async def insert_steps(
    connection: Connection, saga_id: int, new: NewMapping, version: int, steps: Sequence[tuple[StepKind, str]]
) -> None:
    """Store what has to be created: (kind, reference), in order."""
    await connection.execute(
        query("writeback/configure/insert_steps"),
        saga_id,
        new.request.currency,
        version,
        list(range(1, len(steps) + 1)),
        [kind for kind, _ in steps],
        [reference for _, reference in steps],
    )


async def newest_mapping(connection: Connection, connection_id: UUID) -> StoredMapping | None:
    """The newest version, whatever its state."""
    row = await connection.fetchrow(query("writeback/configure/newest_mapping"), connection_id)
    return _stored(row) if row else None


async def get_mapping(connection: Connection, connection_id: UUID, version: int) -> StoredMapping | None:
    """One version."""
    row = await connection.fetchrow(query("writeback/configure/get_mapping"), connection_id, version)
    return _stored(row) if row else None


async def complete_mapping(
    connection: Connection, mapping: StoredMapping, lender: tuple[str, str], expense_account_id: str, supplier_id: str
) -> None:
    """The version is ready. ``lender`` is (account id, feed id)."""
    await connection.execute(
        query("writeback/configure/complete_mapping"),
        mapping.connection_id,
        mapping.version,
        *lender,
        expense_account_id,
        supplier_id,
    )


async def fail_mapping(connection: Connection, connection_id: UUID, version: int, reason: str) -> None:
    """The version is not going to be ready."""
    await connection.execute(query("writeback/configure/fail_mapping"), connection_id, version, reason)


def _stored(row: Any) -> StoredMapping:
    values = {name: row[name] for name in StoredMapping.__dataclass_fields__}
    request = read_mapping_request(json.loads(row["request"]))
    return StoredMapping(**values | {"state": MappingState(row["state"]), "request": request})
