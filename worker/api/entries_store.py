"""Ledger entries in the database: read, and their metadata changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from worker.api.ids import split_entry_id
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Entry
from worker.api.query import Page, Range
from worker.api.rows import read_entry
from worker.database import Connection, query
from worker.ledger.transaction import Direction, Status

MAX_VERSION: Final = 2**63 - 1
"""Largest version of an account that PostgreSQL could count to."""

FEW: Final = 10_000
"""Entries or transactions up to which those that come into question are looked up and sorted."""

FIRST_STRETCH: Final = 256
"""Places of the first stretch: as many transactions have more entries than the largest page shows."""

NEAR: Final = 4_096
"""Transactions that are looked through before all older ones are searched, which takes as long if it finds little."""

LONGER_STRETCH: Final = 16
"""How many times longer each further stretch is: all of them together cost little more than the last one."""


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an order of entries, from one moment to another or down to a transaction; else all that is left."""

    since: datetime | None = None
    until: datetime | None = None
    down_to: UUID | None = None


async def list_entries(connection: Connection, which: EntryFilter, view: EntryView, page: Page) -> list[Entry]:
    """Entries, and one more than the page shows.

    No index holds all entries in the order of a time, for posting would pay for it. They are read by stretches of that
    order instead, ever longer ones until one has a page.
    """
    view = await _reordered(connection, which, view)
    few = await _few_transactions(connection, which)
    if few is None and view.order == "id" and _is_searchable(which):
        rows = await _search(connection, which, view, page)
        return [read_entry(row, show_balances=view.show_balances) for row in rows]
    after = (None, None) if page.after is None else split_entry_id(page.after)
    places = FIRST_STRETCH
    while True:
        stretch = Stretch()
        if _goes_by_stretches(which, view) and few is None:
            row = await connection.fetchrow(query("api/entries_window"), view.order, which.account_id, *after, places)
            assert row is not None
            stretch = Stretch(row["since"], row["until"])
        rows = await _rows(connection, which, view, page, few, stretch)
        if len(rows) == page.and_one_more or stretch.until is None:
            return [read_entry(row, show_balances=view.show_balances) for row in rows]
        places *= LONGER_STRETCH


async def _search(connection: Connection, which: EntryFilter, view: EntryView, page: Page) -> Sequence[asyncpg.Record]:
    """A page out of many entries within bounds, newest first, which may all be older than many others."""
    after = None if page.after is None else split_entry_id(page.after)[0]
    oldest: UUID | None = await connection.fetchval(query("api/near_transaction"), after, NEAR)
    rows = await _rows(connection, which, view, page, None, Stretch(down_to=oldest))
    many = page.and_one_more
    while oldest is not None and len(rows) < page.and_one_more:
        found: list[UUID] = await connection.fetchval(
            query("api/newest_within"),
            *(which.effective_at.lower, which.effective_at.upper, which.amount.lower, which.amount.upper),
            *(*_versions(which.version), oldest, many),
        )
        rows += await _rows(connection, which, view, page, found, Stretch())
        oldest = found[-1] if len(found) == many else None
        many *= LONGER_STRETCH  # other filters took some of them away
    return rows[: page.and_one_more]


async def find_entry(connection: Connection, entry_id: UUID, *, show_balances: bool) -> Entry | None:
    """An entry, live or discarded; None when there is none."""
    row = await connection.fetchrow(query("api/find_entry"), *split_entry_id(entry_id))
    return None if row is None else read_entry(row, show_balances=show_balances)


async def update_entry(connection: Connection, entry_id: UUID, metadata: Mapping[str, str | None]) -> None:
    """Merge metadata into an entry, if there is one."""
    await connection.execute(query("api/update_entry"), *split_entry_id(entry_id), *metadata_merge(metadata))


async def _reordered(connection: Connection, which: EntryFilter, view: EntryView) -> EntryView:
    """A few entries of an account within a time are better sorted than looked for among all of its versions."""
    effective = which.effective_at
    if view.order != "version" or not effective.is_bounded:
        return view
    is_few = await connection.fetchval(
        query("api/few_entries"), which.account_id, effective.lower, effective.upper, FEW
    )
    return replace(view, order="few") if is_few else view


async def _few_transactions(connection: Connection, which: EntryFilter) -> list[UUID] | None:
    """The only transactions that come into question, None when they are too many to be named, or need not be."""
    for name, *arguments in _narrowing(which):
        few: list[UUID] | None = await connection.fetchval(query(name), *arguments, FEW)
        if few is not None:
            return few
    return None


def _narrowing(which: EntryFilter) -> Iterator[tuple[Any, ...]]:
    """The statements, with their arguments, that may find the only transactions that come into question."""
    effective, amount, version, since = which.effective_at, which.amount, which.version, which.updated_at.lower
    if since is not None:
        yield "api/few_of_entries", None, None, since
    elif which.account_id is None:  # an account's own indexes lead to its entries
        if which.statuses and Status.POSTED not in which.statuses and not which.show_deleted:
            yield "api/few_unposted", which.statuses
        if _is_anywhere(which):
            if effective.is_bounded:
                yield "api/few_of_entries", effective.lower, effective.upper, None
            if amount.is_bounded:
                yield "api/few_of_amount", amount.lower, amount.upper
            if version.is_bounded:
                yield "api/few_of_versions", *_versions(version)


def _is_searchable(which: EntryFilter) -> bool:
    """Whether it is bounds that make a page hard to find, and nothing beside them that would take most away again."""
    is_bounded = which.effective_at.is_bounded or which.amount.is_bounded or which.version.is_bounded
    is_narrower = which.account_id or which.category_id or which.metadata or which.updated_at.is_bounded
    is_open = which.statuses is None or Status.POSTED in which.statuses
    return is_bounded and is_open and not is_narrower and _is_anywhere(which)


def _is_anywhere(which: EntryFilter) -> bool:
    return which.ids is None and which.transaction_id is None and which.settlement_id is None


def _goes_by_stretches(which: EntryFilter, view: EntryView) -> bool:
    by_creation, by_effect = view.order.startswith("created_at "), view.order.startswith("effective_at ")
    return _is_anywhere(which) and (by_creation or (by_effect and which.account_id is None))


async def _rows(
    connection: Connection,
    which: EntryFilter,
    view: EntryView,
    page: Page,
    few: list[UUID] | None,
    stretch: Stretch,
) -> list[asyncpg.Record]:
    wanted = None if which.ids is None else [split_entry_id(entry_id) for entry_id in which.ids]
    after = (None, None) if page.after is None else split_entry_id(page.after)
    return await connection.fetch(
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
        few,
        stretch.since,
        stretch.until,
        stretch.down_to,
    )


def _versions(within: Range[int]) -> tuple[int | None, int | None]:
    return _version(within.lower), _version(within.upper)


def _version(number: int | None) -> int | None:
    # No account reaches the largest version, so that whatever is beyond it may stand for it.
    return None if number is None else min(max(number, 0), MAX_VERSION)
