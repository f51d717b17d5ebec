"""Posting for callers: one operation in the caller's database transaction, and where it belongs."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.ledger import poster
from worker.ledger.transaction import Operation, Result, Status


class ContendedError(Exception):
    """Another process wrote the same external id at this very moment: begin again, and it can be seen."""


async def ledger_of_account(connection: Connection, account_id: UUID) -> UUID | None:
    """The ledger of an account, None when there is no such account."""
    ledger_id: UUID | None = await connection.fetchval(query("api/ledger_of_account"), account_id)
    return ledger_id


async def transaction_before(connection: Connection, transaction_id: UUID) -> tuple[UUID, Status] | None:
    """The ledger and the status of a transaction, None when there is no such transaction."""
    row = await connection.fetchrow(query("api/transaction_before"), transaction_id)
    return None if row is None else (row["ledger_id"], Status(row["status"]))


async def post_one(connection: Connection, ledger_id: UUID, operation: Operation) -> Result:
    """Apply an operation. Raises :class:`ContendedError` when the transaction must begin again."""
    try:
        (result,) = await poster.post(connection, ledger_id, [operation])
    except asyncpg.UniqueViolationError as error:
        raise ContendedError from error
    return result
