"""Events in the database."""

from __future__ import annotations

import json
from uuid import UUID

from worker.api.call import Document
from worker.database import Connection, query


async def insert_event(
    connection: Connection, resource: str, event_name: str, entity_id: UUID, document: Document
) -> None:
    """Tell of what became of an object, now ``document``, in the transaction in which it did."""
    await connection.execute(query("api/insert_event"), resource, event_name, entity_id, json.dumps(document))
