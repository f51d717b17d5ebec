"""``/api/events``: what became of balance monitors, settlements and bulk requests, as it was also sent to the webhook.

Ledger transactions make no events: posting would pay for each of them, and lists and versions tell the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from worker.api import events_store as store
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.documents import render_event
from worker.api.events_store import EventFilter
from worker.api.query import Query
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import not_found
from worker.api.shapes import EventObject
from worker.database import Database

NOUN: Final = "Event"


class Events:
    """Events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, call: Call) -> Answer[Sequence[EventObject]]:
        """A page of events."""
        asked = call.query
        which, page = _read_filter(asked), asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            events = await store.list_events(connection, which, page)
            if not events:
                await require_cursor(connection, Listed.EVENTS, page)
        return list_answer([render_event(event) for event in events], page)

    async def retrieve(self, call: Call) -> Answer[EventObject]:
        """One event."""
        event_id = call.id(NOUN)
        call.query.finish()
        async with self._database.connection() as connection:
            event = await store.find_event(connection, event_id)
        if event is None:
            raise not_found(NOUN)
        return answer(render_event(event))


def _read_filter(asked: Query) -> EventFilter:
    return EventFilter(
        start=asked.moment("event_time_start"),
        end=asked.moment("event_time_end"),
        resource=asked.text("resource"),
        entity_id=asked.uuid("entity_id"),
        name=asked.text("event_name"),
    )
