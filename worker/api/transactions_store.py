"""Ledger transactions and their versions, read from the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from worker.api.ids import split_version_id, version_id_of
from worker.api.metadata import metadata_filter
from worker.api.objects import Entry, Transaction, Version
from worker.api.query import Order, Page, Range
from worker.api.rows import read_entry, read_transaction
from worker.api.texts import read_uuid
from worker.database import Connection, query
from worker.ledger.transaction import Status

FEW_ENTRIES: Final = 10_000
"""Entries up to which the transactions of an account are looked up one by one. Of an account that has more, one
transaction in so many is enough to fill a page by going through all transactions in their order. The same goes for a
category, a ledger, a time and an amount."""


@dataclass(frozen=True, slots=True)
class TransactionFilter:
    """Which transactions a list shows; :attr:`amount` is that of any entry."""

    ids: list[UUID] | None
    ledger_id: UUID | None
    account_id: UUID | None
    effective_at: Range[datetime]
    posted_at: Range[datetime]
    updated_at: Range[datetime]
    amount: Range[int]
    statuses: Sequence[Status] | None
    external_id: str | None
    category_id: UUID | None
    reverses: UUID | None
    partially_posts: UUID | None
    ledgerable_id: UUID | None
    ledgerable_type: str | None
    metadata: Mapping[str, str] | None
    settlement_id: UUID | None


@dataclass(frozen=True, slots=True)
class VersionFilter:
    """Which versions a list shows."""

    transaction_id: UUID | None
    ids: list[UUID] | None
    created_at: Range[datetime]
    version: Range[int]
    statement_id: UUID | None


async def list_transactions(
    connection: Connection, which: TransactionFilter, order: Order, page: Page
) -> list[Transaction]:
    """Transactions with their entries, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_transactions"),
        which.ids,
        which.ledger_id,
        await _few_transactions(connection, which),
        which.account_id,
        which.category_id,
        which.effective_at.lower,
        which.effective_at.upper,
        which.posted_at.lower,
        which.posted_at.upper,
        which.updated_at.lower,
        which.updated_at.upper,
        which.amount.lower,
        which.amount.upper,
        which.statuses,
        which.external_id,
        which.reverses,
        which.partially_posts,
        which.ledgerable_id,
        which.ledgerable_type,
        metadata_filter(which.metadata),
        f"{order.field} {order.direction}",
        page.after,
        page.and_one_more,
        which.settlement_id,
    )
    return await _with_entries(connection, rows)


async def find_transactions(connection: Connection, key: str) -> list[Transaction]:
    """The transaction of an id, or those of an external id: two at most, enough to know that it is not one."""
    transaction_id = read_uuid(key)
    rows = await connection.fetch(query("api/find_transactions"), transaction_id, key)
    found = await _with_entries(connection, rows)
    return found[:1] if found and found[0].id == transaction_id else found


async def list_versions(connection: Connection, which: VersionFilter, page: Page) -> list[Version]:
    """Versions with the entries they had, newest first, and one more than the page shows."""
    wanted = None if which.ids is None else [split_version_id(version_id) for version_id in which.ids]
    after = (None, None) if page.after is None else split_version_id(page.after)
    rows = await connection.fetch(
        query("api/list_versions"),
        which.transaction_id,
        None if wanted is None else [transaction_id for transaction_id, _ in wanted],
        None if wanted is None else [version for _, version in wanted],
        which.created_at.lower,
        which.created_at.upper,
        which.version.lower,
        which.version.upper,
        *after,
        page.and_one_more,
        which.statement_id,
    )
    entries: dict[tuple[UUID, int], list[Entry]] = {}
    for row in await connection.fetch(
        query("api/entries_of_versions"),
        *([row[column] for row in rows] for column in ("id", "version", "status", "first_entry", "last_entry")),
    ):
        entries.setdefault((row["transaction_id"], row["version"]), []).append(read_entry(row, show_balances=False))
    return [
        Version(
            version_id_of(row["id"], row["version"]),
            row["version"],
            read_transaction(row, entries[row["id"], row["version"]]),
        )
        for row in rows
    ]


async def _few_transactions(connection: Connection, which: TransactionFilter) -> list[UUID] | None:
    """The only transactions that come into question, None when they are too many to be named."""
    for name, *arguments in _narrowing(which):
        few: list[UUID] | None = await connection.fetchval(query(name), *arguments, FEW_ENTRIES)
        if few is not None:
            return few
    return None


def _narrowing(which: TransactionFilter) -> Iterator[tuple[Any, ...]]:
    """The statements, with their arguments, that may find the only transactions that come into question."""
    if which.account_id or which.category_id or which.ledger_id:
        yield "api/few_transactions", which.account_id, which.category_id, which.ledger_id
    if which.amount.is_bounded:
        yield "api/few_of_amount", which.amount.lower, which.amount.upper
    if which.effective_at.is_bounded:
        yield "api/few_effective", which.effective_at.lower, which.effective_at.upper


async def _with_entries(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[Transaction]:
    entries: dict[UUID, list[Entry]] = {row["id"]: [] for row in rows}
    if entries:
        for row in await connection.fetch(query("api/entries_of_transactions"), list(entries)):
            entries[row["transaction_id"]].append(read_entry(row, show_balances=False))
    return [read_transaction(row, entries[row["id"]]) for row in rows]
