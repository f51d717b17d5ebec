"""Which ledger a posting belongs to, and who wrote the transaction it changes."""

from __future__ import annotations

from uuid import UUID

from worker.api.loan_events import Before, LoanEvent
from worker.database import Connection, query
from worker.ledger.transaction import Status


async def ledger_of_account(connection: Connection, account_id: UUID) -> UUID | None:
    """The ledger of an account, None when there is no such account."""
    ledger_id: UUID | None = await connection.fetchval(query("api/ledger_of_account"), account_id)
    return ledger_id


async def transaction_before(connection: Connection, transaction_id: UUID) -> Before | None:
    """A transaction that is to be changed, None when there is no such transaction."""
    row = await connection.fetchrow(query("api/transaction_before"), transaction_id)
    if row is None:
        return None
    event = None
    if row["webhook_id"] is not None:
        event = LoanEvent(row["webhook_id"], row["type"], row["subject_kind"], row["subject_id"])
    return Before(row["ledger_id"], Status(row["status"]), event)
