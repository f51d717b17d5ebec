"""Which accounts and categories are in which categories. What the tables refuse is answered as their sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from worker.database import Connection, query

_REFUSED: Final = "LW005"
"""The tables' code for a category that mixes ledgers or currencies, nests too deep or contains itself."""


async def share_chart(connection: Connection, category_ids: Sequence[UUID]) -> None:
    """Keep their ledger's nestings as they are until the transaction ends: the first thing a change of members does."""
    await connection.execute(query("api/share_chart"), list(category_ids))


async def lock_chart(connection: Connection, category_ids: Sequence[UUID]) -> None:
    """Keep their ledger's nestings and members to oneself: the first thing that nesting and taking apart do."""
    await connection.execute(query("api/lock_chart"), list(category_ids))


async def has_categories(connection: Connection, category_ids: Sequence[UUID]) -> bool:
    """Whether all of these exist and were not discarded."""
    found: int = await connection.fetchval(query("api/count_categories"), list(category_ids))
    return found == len(set(category_ids))


async def find_kept(connection: Connection, category_ids: Sequence[UUID]) -> str | None:
    """The external id of one of these that loan events put accounts into, None when there is none."""
    kept: str | None = await connection.fetchval(query("api/category_for_loans"), list(category_ids))
    return kept


async def has_account(connection: Connection, account_id: UUID) -> bool:
    """Whether it exists and was not discarded."""
    return bool(await connection.fetchval(query("api/has_account"), account_id))


async def add_members(connection: Connection, category_ids: Sequence[UUID], account_id: UUID) -> str | None:
    """Put an account into categories; why not, if the tables refuse it, and then the transaction cannot go on."""
    return await _attempt(connection, "api/add_members", category_ids, account_id)


async def remove_member(connection: Connection, category_id: UUID, account_id: UUID) -> None:
    """Take an account out of a category, if it is in it."""
    await connection.execute(query("api/remove_member"), category_id, account_id)


async def add_nestings(connection: Connection, parent_ids: Sequence[UUID], child_id: UUID) -> str | None:
    """Nest a category in others; why not, if the tables refuse it, and then the transaction cannot go on."""
    return await _attempt(connection, "api/add_nestings", parent_ids, child_id)


async def remove_nesting(connection: Connection, parent_id: UUID, child_id: UUID) -> None:
    """Take a category out of another, if it is in it."""
    await connection.execute(query("api/remove_nesting"), parent_id, child_id)


async def _attempt(connection: Connection, statement: str, category_ids: Sequence[UUID], member: UUID) -> str | None:
    try:
        await connection.execute(query(statement), list(category_ids), member)
    except asyncpg.PostgresError as error:
        if error.sqlstate != _REFUSED:
            raise
        return str(error)
    return None
