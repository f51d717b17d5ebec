"""Reads across the stations' tables, for people. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.console_api.documents import document
from worker.database import Connection, query


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows: those before an id (or after a loan's), at most so many."""

    cursor: str | None
    limit: int

    @property
    def before_id(self) -> int | None:
        """The cursor as a row's number."""
        return int(self.cursor) if self.cursor is not None else None


async def list_events(
    connection: Connection, page: Page, *, loan_id: str | None, event_type: str | None, state: str | None
) -> list[dict[str, Any]]:
    """Loan events with what became of them, newest first."""
    return await _rows(connection, "list_events", loan_id, event_type, state, page.before_id, page.limit)


async def get_event(connection: Connection, message_id: int) -> dict[str, Any] | None:
    """One event as received, with what became of it and the saga it brought about."""
    found = await _rows(connection, "get_event", message_id)
    if not found:
        return None
    saga_id = await connection.fetchval(query("console_api/saga_of_message"), message_id)
    return found[0] | {"saga_id": saga_id}


async def list_loans(connection: Connection, page: Page) -> list[dict[str, Any]]:
    """Loans in the order of their ids."""
    return await _rows(connection, "list_loans", page.cursor, page.limit)


async def get_loan(connection: Connection, loan_id: str) -> dict[str, Any] | None:
    """One loan with what has happened to it."""
    found = await _rows(connection, "get_loan", loan_id)
    if not found:
        return None
    facts = await connection.fetch(query("console_api/loan_facts"), loan_id)
    return found[0] | {"facts": [document(dict(fact), found[0]["currency"]) for fact in facts]}


async def list_sagas(
    connection: Connection, page: Page, *, loan_id: str | None, state: str | None, waiting_for: str | None
) -> list[dict[str, Any]]:
    """Sagas, newest first."""
    return await _rows(connection, "list_sagas", loan_id, state, waiting_for, page.before_id, page.limit)


async def get_saga(connection: Connection, saga_id: int) -> dict[str, Any] | None:
    """One saga with its steps as they stand and its timeline."""
    found = await _rows(connection, "get_saga", saga_id)
    if not found:
        return None
    steps = await _rows(connection, "saga_steps", saga_id)
    return found[0] | {"steps": steps, "timeline": await _rows(connection, "saga_attempts", saga_id)}


async def dead_letters_of(connection: Connection, kinds: Sequence[str], subject: int) -> list[int]:
    """Dead letters of one message or saga that nobody replayed yet."""
    rows = await connection.fetch(query("console_api/dead_letters_of"), list(kinds), subject)
    return [row["id"] for row in rows]


async def _rows(connection: Connection, name: str, *arguments: object) -> list[dict[str, Any]]:
    return [document(dict(row)) for row in await connection.fetch(query(f"console_api/{name}"), *arguments)]
