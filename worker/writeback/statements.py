"""Lender accounts' statements in PostgreSQL: one line at a time, so that balances run on and dates never run back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from worker.database import Connection, query
from worker.writeback.situation import Step


@dataclass(frozen=True, slots=True)
class Feed:
    """A lender account's statement: its balance (minor units) and the date of its newest line."""

    balance: int
    newest_date: date | None


async def ensure_feed(connection: Connection, connection_id: UUID, account_id: str, opening_balance: int) -> None:
    """Open a statement with the balance it starts from, unless it is already kept."""
    await connection.execute(query("writeback/ensure_feed"), connection_id, account_id, opening_balance)


async def take_feed(connection: Connection, connection_id: UUID, account_id: str, step_id: int) -> Feed | None:
    """Reserve a statement for one line; None while another line is in flight."""
    row = await connection.fetchrow(query("writeback/take_feed"), connection_id, account_id, step_id)
    return Feed(row["balance"], row["newest_date"]) if row else None


async def settle_feed(connection: Connection, step: Step) -> None:
    """The line is on the statement."""
    await connection.execute(query("writeback/settle_feed"), step.id, step.amount, step.date)


async def release_feed(connection: Connection, step_id: int) -> None:
    """The line was not written; the next one may go."""
    await connection.execute(query("writeback/release_feed"), step_id)
