"""Reading lists and whole objects, each as one snapshot of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from uuid import UUID

import asyncpg

from worker.api.ids import split_entry_id, split_version_id
from worker.api.query import Page
from worker.api.refusals import invalid
from worker.database import Connection, Database, query
from worker.errors import Unavailable


class Listed(StrEnum):
    """What lists show."""

    LEDGERS = "ledgers"
    ACCOUNTS = "ledger_accounts"
    CATEGORIES = "ledger_account_categories"
    TRANSACTIONS = "ledger_transactions"
    VERSIONS = "ledger_transaction_versions"
    ENTRIES = "ledger_entries"
    SETTLEMENTS = "ledger_account_settlements"
    MONITORS = "ledger_account_balance_monitors"
    EVENTS = "events"
    BULK_REQUESTS = "bulk_requests"
    BULK_RESULTS = "bulk_results"


async def require_cursor(connection: Connection, listed: Listed, page: Page) -> None:
    """Refuse the cursor of another list, or of nothing: it must not look like the end of this one.

    Of most lists only an empty page has to ask. Raises :class:`~worker.errors.Rejected` (422).
    """
    if page.after is None:
        return
    if not await connection.fetchval(query("api/knows_cursor"), listed, *_row_of(listed, page.after)):
        raise invalid("after_cursor", f"after_cursor must be a cursor of this list, not {page.after}")


def _row_of(listed: Listed, cursor: UUID) -> tuple[UUID, int]:
    if listed is Listed.ENTRIES:
        return split_entry_id(cursor)
    return split_version_id(cursor) if listed is Listed.VERSIONS else (cursor, 0)


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection whose statements all see the same moment, and are planned for the filters they are given.

    Raises :class:`~worker.errors.Unavailable` when a statement takes longer than any may.
    """
    try:
        async with _transaction(database) as connection:
            await connection.execute(query("api/begin_reading"))
            yield connection
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("a list took too long to read: ask for less of it") from error


@asynccontextmanager
async def steady(database: Database) -> AsyncIterator[Connection]:
    """A connection whose statements all see the same moment, for what is found by a key: their plans are kept.

    Raises :class:`~worker.errors.Unavailable` as :func:`snapshot` does.
    """
    try:
        async with _transaction(database) as connection:
            yield connection
    except asyncpg.QueryCanceledError as error:
        raise Unavailable("an object took too long to read") from error


@asynccontextmanager
async def _transaction(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection
