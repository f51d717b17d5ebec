"""Which ledger a posting belongs to."""

from __future__ import annotations

from uuid import UUID

from worker.database import Connection, query
from worker.ledger.transaction import Status


async def ledger_of_account(connection: Connection, account_id: UUID) -> UUID | None:
    """The ledger of an account, None when there is no such account."""
    ledger_id: UUID | None = await connection.fetchval(query("api/ledger_of_account"), account_id)
    return ledger_id


async def transaction_before(connection: Connection, transaction_id: UUID) -> tuple[UUID, Status] | None:
    """The ledger and the status of a transaction, None when there is no such transaction."""
    row = await connection.fetchrow(query("api/transaction_before"), transaction_id)
    return None if row is None else (row["ledger_id"], Status(row["status"]))
