"""Lender accounts' statements in PostgreSQL: one line at a time, so that balances run on and dates never run back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from worker.database import Connection, query
from worker.writeback.situation import Step


@dataclass(frozen=True, slots=True)
class Feed:
    """A lender account's statement: its balance (minor units) and the date of its newest line."""

    balance: int
    newest_date: date | None


@dataclass(frozen=True, slots=True)
class InFlight:
    """Another saga's line that is on its way to a statement, and since when."""

    saga_id: int
    since: datetime


async def ensure_feed(connection: Connection, connection_id: UUID, account_id: str, opening_balance: int) -> None:
    """Open a statement with the balance it starts from, unless it is already kept."""
    await connection.execute(query("writeback/ensure_feed"), connection_id, account_id, opening_balance)


async def take_feed(
    connection: Connection, connection_id: UUID, account_id: str, step_id: int
) -> Feed | InFlight | None:
    """Reserve a statement for one line; the line in flight when that is another, None when it is free again already."""
    row = await connection.fetchrow(query("writeback/take_feed"), connection_id, account_id, step_id)
    if row:
        return Feed(row["balance"], row["newest_date"])
    holder = await connection.fetchrow(query("writeback/feed_holder"), connection_id, account_id)
    return InFlight(holder["saga_id"], holder["first_sent_at"]) if holder else None


async def give_back_feed(connection: Connection, step_id: int) -> None:
    """The line does not go after all: in the transaction that took the statement, so that nobody has waited for it."""
    await connection.execute(query("writeback/release_feed"), step_id)


async def settle_feed(connection: Connection, step: Step) -> None:
    """The line is on the statement; who waits for it may look."""
    row = await connection.fetchrow(query("writeback/settle_feed"), step.id, step.amount, step.date)
    await _wake_waiting(connection, row)


async def release_feed(connection: Connection, step_id: int) -> None:
    """The line was not written; the next one may go, and who waits for it may look."""
    await _wake_waiting(connection, await connection.fetchrow(query("writeback/release_feed"), step_id))


async def _wake_waiting(connection: Connection, freed: Any) -> None:
    if freed:
        rows = await connection.fetch(query("writeback/sagas_waiting_for_statement"), freed["connection_id"])
        await connection.execute(query("writeback/wake_sagas"), [row["id"] for row in rows])
