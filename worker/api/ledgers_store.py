"""Ledgers in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from worker.api.body import Change
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Ledger
from worker.api.query import Page, Range
from worker.database import Connection, query


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which ledgers a list shows."""

    ids: list[UUID] | None
    metadata: Mapping[str, str] | None
    updated_at: Range[datetime]


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What becomes of a ledger; metadata without a value is removed."""

    name: str | None
    description: Change[str]
    metadata: Mapping[str, str | None]


async def list_ledgers(connection: Connection, which: LedgerFilter, page: Page) -> list[Ledger]:
    """Ledgers, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_ledgers"),
        which.ids,
        metadata_filter(which.metadata),
        which.updated_at.lower,
        which.updated_at.upper,
        page.after,
        page.and_one_more,
    )
    return [_ledger(row) for row in rows]


async def insert_ledger(
    connection: Connection, name: str, description: str | None, metadata: Mapping[str, str]
) -> Ledger:
    """Create a ledger."""
    row = await connection.fetchrow(query("api/insert_ledger"), name, description, json.dumps(metadata))
    assert row is not None
    return _ledger(row)


async def find_ledger(connection: Connection, ledger_id: UUID) -> Ledger | None:
    """A ledger, None when it does not exist or was discarded."""
    row = await connection.fetchrow(query("api/find_ledger"), ledger_id)
    return None if row is None else _ledger(row)


async def update_ledger(connection: Connection, ledger_id: UUID, change: LedgerChange) -> Ledger | None:
    """Change a ledger, None when it does not exist or was discarded."""
    row = await connection.fetchrow(
        query("api/update_ledger"),
        ledger_id,
        change.name,
        change.description.given,
        change.description.value,
        *metadata_merge(change.metadata),
    )
    return None if row is None else _ledger(row)


async def lock_ledger(connection: Connection, ledger_id: UUID) -> bool:
    """Keep a ledger from being discarded until the transaction ends; False when it does not exist or was discarded."""
    return bool(await connection.fetchval(query("api/lock_ledger"), ledger_id))


async def lock_ledger_alone(connection: Connection, ledger_id: UUID) -> bool:
    """Hold a ledger for discarding until the transaction ends; False when it does not exist or was discarded."""
    return bool(await connection.fetchval(query("api/lock_ledger_alone"), ledger_id))


async def discard_ledger(connection: Connection, ledger_id: UUID) -> Ledger | None:
    """Discard a locked ledger, None when it still has accounts or categories."""
    row = await connection.fetchrow(query("api/discard_ledger"), ledger_id)
    return None if row is None else _ledger(row)


def _ledger(row: asyncpg.Record) -> Ledger:
    return Ledger(**{**row, "metadata": json.loads(row["metadata"])})
