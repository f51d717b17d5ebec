"""Ledger account statements in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from worker.api.objects import Statement
from worker.api.rows import read_unit
from worker.database import Connection, query
from worker.ledger.balance import Sums


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A statement to make."""

    account_id: UUID
    description: str | None
    metadata: Mapping[str, str]
    lower_bound: datetime
    upper_bound: datetime


async def insert_statement(connection: Connection, new: NewStatement) -> Statement | None:
    """Make a statement of what the account holds now; None when there is no such account."""
    statement_id = await connection.fetchval(
        query("api/insert_statement"),
        new.account_id,
        new.description,
        json.dumps(dict(new.metadata)),
        new.lower_bound,
        new.upper_bound,
    )
    return None if statement_id is None else await find_statement(connection, statement_id)


async def find_statement(connection: Connection, statement_id: UUID) -> Statement | None:
    """A statement, None when there is none."""
    row = await connection.fetchrow(query("api/find_statement"), statement_id)
    if row is None:
        return None
    return Statement(
        id=row["id"],
        ledger_id=row["ledger_id"],
        account_id=row["ledger_account_id"],
        unit=read_unit(row),
        lock_version=row["lock_version"],
        description=row["description"],
        metadata=json.loads(row["metadata"]),
        lower_bound=row["lower_bound"],
        upper_bound=row["upper_bound"],
        starting=Sums(*row["starting_sums"]),
        ending=Sums(*row["ending_sums"]),
        created_at=row["created_at"],
    )
