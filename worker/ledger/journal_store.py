"""What a journal is read from, a few transactions at a time: a ledger may be longer than memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from worker.database import Connection, query
from worker.ledger.book import midnight
from worker.ledger.journal.values import JournalAccount, JournalEntry, JournalTransaction
from worker.ledger.reading import AUDIT_TIMEOUT_SECONDS
from worker.ledger.transaction import Direction, Status

_TRANSACTIONS_AT_ONCE: Final = 1000
"""Transactions fetched in one round trip: a megabyte or so."""


async def journal_accounts(connection: Connection, ledger_id: UUID) -> tuple[JournalAccount, ...]:
    """Every account of a ledger."""
    return tuple(
        JournalAccount(
            row["id"],
            row["external_id"],
            row["name"],
            Direction(row["normal_balance"]),
            row["currency"],
            row["currency_exponent"],
            json.loads(row["metadata"]),
        )
        for row in await connection.fetch(query("ledger/journal_accounts"), ledger_id)
    )


async def journal_first_day(connection: Connection, ledger_id: UUID) -> date | None:
    """The first business day with a pending or posted entry; None in an empty ledger."""
    day: date | None = await connection.fetchval(
        query("ledger/journal_first_day"), ledger_id, timeout=AUDIT_TIMEOUT_SECONDS
    )
    return day


async def journal_transactions(
    connection: Connection, ledger_id: UUID, first: date | None, last: date | None
) -> AsyncIterator[JournalTransaction]:
    """Pending and posted transactions with their entries from ``first`` to ``last``, both included, if given."""
    since, until = first and midnight(first), last and midnight(last + timedelta(days=1))
    rows = connection.cursor(
        query("ledger/journal_transactions"),
        *(ledger_id, since, until),
        prefetch=_TRANSACTIONS_AT_ONCE,
        timeout=AUDIT_TIMEOUT_SECONDS,
    )
    async for row in rows:
        yield JournalTransaction(
            row["id"],
            row["external_id"],
            Status(row["status"]),
            row["effective_date"],
            row["description"],
            json.loads(row["metadata"]),
            row["reverses"],
            row["reversed"],
            tuple(map(JournalEntry, row["accounts"], row["amounts"], row["days"])),
        )
