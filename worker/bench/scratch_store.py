"""Statements about whole databases. Their names and settings are ours, never a caller's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import asyncpg

from worker.database import Connection, query
from worker.errors import UsageError

SETTLE_TIMEOUT_SECONDS: Final = 3_600.0
"""Longest look at all tables: a history may be as long as one likes."""


async def configure(connection: Connection, settings: Mapping[str, str]) -> None:
    """Keep settings for the server's next start."""
    for name, value in settings.items():
        await connection.execute(f"alter system set {name} = '{value}'")


async def create_database(connection: Connection, name: str) -> None:
    """Create an empty database; raises :class:`~worker.errors.UsageError` when this role may not."""
    try:
        await connection.execute(f'create database "{name}" template template0')
    except asyncpg.InsufficientPrivilegeError as error:
        raise UsageError(
            "the role of DATABASE_URL may not create a database to measure in: "
            "grant it CREATEDB, or unset DATABASE_URL to measure on a throwaway server"
        ) from error


async def drop_database(connection: Connection, name: str) -> None:
    """Drop a database with everything in it, whoever is still connected."""
    await connection.execute(f'drop database "{name}" with (force)')


async def settle(connection: Connection) -> None:
    """Have the planner know the tables, and no vacuum due."""
    await connection.execute("set statement_timeout = 0")
    await connection.execute("vacuum analyze", timeout=SETTLE_TIMEOUT_SECONDS)
    await connection.execute("reset statement_timeout")


async def server_of(connection: Connection) -> tuple[int | None, str]:
    """The process of this session when it runs on this machine, and the server's version."""
    row = await connection.fetchrow(query("bench/session"))
    if row is None:
        raise UsageError("the server does not tell its version")
    return row["pid"], row["version"]
