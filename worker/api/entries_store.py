"""Ledger entries in the database: read, and their metadata changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from worker.api.ids import split_entry_id
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Entry
from worker.api.query import Page, Range
from worker.api.rows import read_entry
from worker.database import Connection, query
from worker.ledger.transaction import Direction, Status

MAX_VERSION: Final = 2**63 - 1
"""Largest version of an account that PostgreSQL could count to."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries a list shows; ``as_of_version`` of the account goes before ``show_deleted``."""

    ids: list[UUID] | None
    account_id: UUID | None
    transaction_id: UUID | None
    effective_at: Range[datetime]
    updated_at: Range[datetime]
    as_of_version: int | None
    show_deleted: bool
    version: Range[int]
    category_id: UUID | None
    direction: Direction | None
    statuses: Sequence[Status] | None
    amount: Range[int]
    metadata: Mapping[str, str] | None
    settlement_id: UUID | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """In which order a list of entries comes (see the statement), and whether with the balances they led to."""

    order: str
    show_balances: bool


async def list_entries(connection: Connection, which: EntryFilter, view: EntryView, page: Page) -> list[Entry]:
    """Entries, and one more than the page shows."""
    wanted = None if which.ids is None else [split_entry_id(entry_id) for entry_id in which.ids]
    after = (None, None) if page.after is None else split_entry_id(page.after)
    rows = await connection.fetch(
        query("api/list_entries"),
        None if wanted is None else [transaction_id for transaction_id, _ in wanted],
        None if wanted is None else [n for _, n in wanted],
        which.account_id,
        which.transaction_id,
        which.effective_at.lower,
        which.effective_at.upper,
        which.updated_at.lower,
        which.updated_at.upper,
        _version(which.as_of_version),
        which.show_deleted,
        _version(which.version.lower),
        _version(which.version.upper),
        which.category_id,
        which.direction,
        which.statuses,
        which.amount.lower,
        which.amount.upper,
        metadata_filter(which.metadata),
        view.order,
        *after,
        page.and_one_more,
        which.settlement_id,
    )
    return [read_entry(row, show_balances=view.show_balances) for row in rows]


async def find_entry(connection: Connection, entry_id: UUID, *, show_balances: bool) -> Entry | None:
    """An entry, live or discarded; None when there is none."""
    row = await connection.fetchrow(query("api/find_entry"), *split_entry_id(entry_id))
    return None if row is None else read_entry(row, show_balances=show_balances)


async def update_entry(connection: Connection, entry_id: UUID, metadata: Mapping[str, str | None]) -> None:
    """Merge metadata into an entry, if there is one."""
    await connection.execute(query("api/update_entry"), *split_entry_id(entry_id), *metadata_merge(metadata))


def _version(number: int | None) -> int | None:
    # No account reaches the largest version, so that whatever is beyond it may stand for it.
    return None if number is None else min(max(number, 0), MAX_VERSION)
