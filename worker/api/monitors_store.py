"""Balance monitors in the database, which itself looks at them whenever a balance changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from worker.api.body import Change
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import AlertCondition, Monitor
from worker.api.query import Page
from worker.api.rows import read_monitor
from worker.database import Connection, query


@dataclass(frozen=True, slots=True)
class MonitorFilter:
    """Which monitors a list shows."""

    ids: list[UUID] | None
    account_id: UUID | None
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class NewMonitor:
    """A monitor to create."""

    account_id: UUID
    condition: AlertCondition
    description: str | None
    metadata: Mapping[str, str]


async def insert_monitor(connection: Connection, new: NewMonitor) -> UUID | None:
    """Create a monitor and have it look at its account; None when there is no such account."""
    if not await connection.fetchval(query("api/lock_monitored"), new.account_id):
        return None
    monitor_id: UUID = await connection.fetchval(
        query("api/insert_monitor"),
        new.account_id,
        new.condition.field,
        new.condition.operator,
        new.condition.value,
        new.description,
        json.dumps(dict(new.metadata)),
    )
    await connection.execute(query("api/observe_monitors"), new.account_id)
    return monitor_id


async def find_monitor(connection: Connection, monitor_id: UUID) -> Monitor | None:
    """A monitor in use, None when there is none."""
    row = await connection.fetchrow(query("api/find_monitor"), monitor_id)
    return None if row is None else read_monitor(row, json.loads(row["metadata"]))


async def list_monitors(connection: Connection, which: MonitorFilter, page: Page) -> list[Monitor]:
    """Monitors in use, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_monitors"),
        which.ids,
        which.account_id,
        metadata_filter(which.metadata),
        page.after,
        page.and_one_more,
    )
    return [read_monitor(row, json.loads(row["metadata"])) for row in rows]


async def update_monitor(
    connection: Connection, monitor_id: UUID, description: Change[str], metadata: Mapping[str, str | None]
) -> bool:
    """Change a monitor; False when there is none in use."""
    changed = await connection.fetchval(
        query("api/update_monitor"), monitor_id, description.given, description.value, *metadata_merge(metadata)
    )
    return bool(changed)


async def discard_monitor(connection: Connection, monitor_id: UUID) -> datetime | None:
    """Discard a monitor; when that was, None when there is none in use."""
    discarded_at: datetime | None = await connection.fetchval(query("api/discard_monitor"), monitor_id)
    return discarded_at
