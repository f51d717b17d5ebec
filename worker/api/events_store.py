"""Events in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from worker.api.call import Document
from worker.api.objects import Event
from worker.api.query import Page
from worker.database import Connection, query

RETENTION: Final = timedelta(days=90)
"""How long events can be listed: a quarter, within which whoever missed a webhook will have looked."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a list shows; both bounds are included."""

    start: datetime | None
    end: datetime | None
    resource: str | None
    entity_id: UUID | None
    name: str | None


async def insert_event(
    connection: Connection, resource: str, event_name: str, entity_id: UUID, document: Document
) -> None:
    """Tell of what became of an object, now ``document``, in the transaction in which it did."""
    await connection.execute(query("api/insert_event"), resource, event_name, entity_id, json.dumps(document))


async def list_events(connection: Connection, which: EventFilter, page: Page) -> list[Event]:
    """Events, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_events"),
        which.start,
        which.end,
        which.resource,
        which.entity_id,
        which.name,
        page.after,
        page.and_one_more,
    )
    return [_event(row) for row in rows]


async def find_event(connection: Connection, event_id: UUID) -> Event | None:
    """An event, None when there is none."""
    row = await connection.fetchrow(query("api/find_event"), event_id)
    return None if row is None else _event(row)


async def load_event(connection: Connection, sequence: int) -> Event | None:
    """The event with a number, None when there is none."""
    row = await connection.fetchrow(query("api/load_event"), sequence)
    return None if row is None else _event(row)


async def take_events(connection: Connection, most: int) -> list[tuple[int, UUID]]:
    """Take the oldest events nobody is charged with: their numbers and entities."""
    rows = await connection.fetch(query("api/take_events"), most)
    return [(row["sequence"], row["entity_id"]) for row in rows]


async def prune_events(connection: Connection, most: int) -> int:
    """Forget some old events, of those somebody was charged with; how many they were."""
    status = await connection.execute(query("api/prune_events"), RETENTION, most)
    return int(status.rpartition(" ")[2])


def _event(row: asyncpg.Record) -> Event:
    return Event(
        id=row["id"],
        resource=row["resource"],
        name=row["event_name"],
        entity_id=row["entity_id"],
        snapshot=json.loads(row["snapshot"]),
        created_at=row["created_at"],
    )
