"""Times the product's own reading statements, as they are in ``sql/queries``."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID

from worker.database import Connection, query


class ServerTime(NamedTuple):
    """Milliseconds of planning a statement, and of executing it."""

    planning: float
    execution: float


async def find_category(connection: Connection, ledger_id: UUID, external_id: str) -> UUID:
    """The id of a category."""
    found: UUID = await connection.fetchval(query("bench/find_category"), ledger_id, external_id)
    return found


async def read(connection: Connection, name: str, arguments: tuple[Any, ...]) -> int:
    """Run a statement of the product as the product does; returns how many rows it found."""
    return len(await connection.fetch(query(name), *arguments))


async def count_replanned(connection: Connection, name: str) -> int:
    """How often this session has planned the statement for one use alone, instead of keeping a plan."""
    return int(await connection.fetchval(query("bench/count_replanned"), query(name)))


async def time_in_database(connection: Connection, name: str, arguments: tuple[Any, ...]) -> ServerTime:
    """Milliseconds the server takes for a statement."""
    told = await connection.fetchval(f"explain (analyze, timing off, format json)\n{query(name)}", *arguments)
    plan = json.loads(told)[0]
    return ServerTime(plan["Planning Time"], plan["Execution Time"])
