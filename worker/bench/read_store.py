"""Runs the product's own reading statements, as they are in ``sql/queries``, and asks the server how long they take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from worker.database import Connection, query


async def find_category(connection: Connection, ledger_id: UUID, external_id: str) -> UUID:
    """The id of a category."""
    found: UUID = await connection.fetchval(query("bench/find_category"), ledger_id, external_id)
    return found


async def read(connection: Connection, name: str, arguments: Sequence[Any]) -> int:
    """Run a statement of the product as the product does; returns how many rows it found."""
    return len(await connection.fetch(query(name), *arguments))


async def time_in_database(connection: Connection, name: str, arguments: Sequence[Any]) -> float:
    """Milliseconds the server takes for a statement that this session has read with before.

    It is executed as it stands prepared: when its plan is kept, planning costs nothing; when one is made for every
    use, that is part of the time.
    """
    prepared = await connection.fetchval(query("bench/find_prepared"), query(name))
    values = ", ".join(map(_literal, arguments))
    told = await connection.fetchval(f'explain (analyze, timing off, format json) execute "{prepared}" ({values})')
    plan = json.loads(told)[0]
    milliseconds: float = plan["Planning Time"] + plan["Execution Time"]
    return milliseconds


def _literal(value: Any) -> str:
    """A value of ours as SQL writes it: no text of these has a quote in it."""
    match value:
        case None:
            return "null"
        case _:
            return f"'{value}'"
