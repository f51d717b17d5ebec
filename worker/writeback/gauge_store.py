"""How much of the writeback waits, and for how long: what monitoring reads."""

from __future__ import annotations

from dataclasses import dataclass

from worker.database import Connection, query


@dataclass(frozen=True, slots=True)
class WaitingSagas:
    """Sagas that cannot go on by themselves; ``oldest_age`` is seconds."""

    waiting_for: str
    number: int
    oldest_age: float


@dataclass(frozen=True, slots=True)
class OpenPushes:
    """Steps of one platform in state ``pending`` or ``unknown``; ``oldest_age`` is seconds since they were sent."""

    platform: str
    state: str
    number: int
    oldest_age: float


async def count_waiting_sagas(connection: Connection) -> list[WaitingSagas]:
    """By what they wait for."""
    rows = await connection.fetch(query("writeback/count_waiting_sagas"))
    return [WaitingSagas(row["waiting_for"], row["number"], row["oldest_age"]) for row in rows]


async def count_open_pushes(connection: Connection) -> list[OpenPushes]:
    """By platform and state."""
    rows = await connection.fetch(query("writeback/count_open_pushes"))
    return [OpenPushes(row["platform"], row["state"], row["number"], row["oldest_age"] or 0.0) for row in rows]


async def count_connections(connection: Connection) -> dict[str, int]:
    """By the status Codat last gave."""
    rows = await connection.fetch(query("writeback/count_connections"))
    return {row["status"]: row["number"] for row in rows}
