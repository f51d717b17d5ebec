"""Runs the product's own reading statements, as they are in ``sql/queries``, and one that reads nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from worker.database import Connection, query


async def find_category(connection: Connection, ledger_id: UUID, external_id: str) -> UUID:
    """The id of a category."""
    found: UUID = await connection.fetchval(query("bench/find_category"), ledger_id, external_id)
    return found


async def read(connection: Connection, name: str, arguments: tuple[Any, ...]) -> int:
    """Run a statement of the product as the product does; returns how many rows it found."""
    return len(await connection.fetch(query(name), *arguments))


async def read_nothing(connection: Connection) -> int:
    """Go to the server and back, as :func:`read` does; returns how many rows it found."""
    return len(await connection.fetch(query("bench/nothing")))
