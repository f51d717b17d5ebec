"""Ledger account categories in the database."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg

from worker.api.changes import ExternalIdTakenError, ObjectChange
from worker.api.loan_events import KEPT_FOR_LOANS
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Category, Unit
from worker.api.query import Page, Window
from worker.api.refusals import invalid
from worker.api.rows import read_sums, read_unit
from worker.database import Connection, query, refused_as
from worker.ledger.balance import Sums
from worker.ledger.book import midnight


@dataclass(frozen=True, slots=True)
class CategoryFilter:
    """Which categories a list shows; a name need only contain one of :attr:`names`, in any case."""

    ids: list[UUID] | None
    names: list[str] | None
    ledger_id: UUID | None
    currency: str | None
    external_id: str | None
    parent_id: UUID | None
    account_id: UUID | None
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class NewCategory:
    """A category to create."""

    ledger_id: UUID
    external_id: str | None
    name: str
    description: str | None
    unit: Unit
    metadata: Mapping[str, str]


async def list_categories(connection: Connection, which: CategoryFilter, window: Window, page: Page) -> list[Category]:
    """Categories, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_categories"),
        which.ids,
        which.names,
        which.ledger_id,
        which.currency,
        which.external_id,
        which.parent_id,
        which.account_id,
        metadata_filter(which.metadata),
        window.lower,
        window.upper,
        page.after,
        page.and_one_more,
    )
    return [_category(row) for row in rows]


async def find_category(connection: Connection, category_id: UUID, window: Window) -> Category | None:
    """A category, None when it does not exist or was discarded.

    Each part is a statement of its own, as those of an account are.
    """
    row = await connection.fetchrow(query("api/find_category"), category_id)
    if row is None:
        return None
    category, lower, upper = _category(row), window.lower, window.upper
    sums = category.sums if upper is None else await _sums_before(connection, category_id, upper)
    if lower is not None:
        before = await _sums_before(connection, category_id, lower if upper is None else min(lower, upper))
        sums = Sums(*map(operator.sub, sums, before))
    return replace(category, sums=sums)


async def _sums_before(connection: Connection, category_id: UUID, moment: datetime) -> Sums:
    """Days are counted whole; the entries of the moment's own day are added, or taken back when it is past noon."""
    await connection.execute(query("api/begin_reading"))  # a category may have two accounts or a million
    begins = midnight(moment.astimezone(UTC).date())
    ends = begins + timedelta(days=1)
    if ends - moment <= moment - begins:
        days_before, lower, upper, sign = ends, moment, ends, -1
    else:
        days_before, lower, upper, sign = begins, begins, moment, 1
    row = await connection.fetchrow(
        query("api/category_sums_before"), category_id, days_before.date(), lower, upper, sign
    )
    assert row is not None
    return read_sums(row)


async def insert_category(connection: Connection, new: NewCategory) -> UUID | None:
    """Create a category, None when its external id is taken."""
    category_id: UUID | None = await connection.fetchval(
        query("api/insert_category"),
        new.ledger_id,
        new.external_id,
        new.name,
        new.description,
        new.unit.normal_balance,
        new.unit.currency,
        new.unit.currency_exponent,
        json.dumps(dict(new.metadata)),
    )
    return category_id


async def update_category(connection: Connection, category_id: UUID, change: ObjectChange) -> bool:
    """Change a category; False when it does not exist or was discarded.

    Raises :class:`~worker.api.changes.ExternalIdTakenError` when another category of its ledger has the external id,
    and :class:`~worker.errors.Rejected` when loan events find the category by the one it has.
    """
    try:
        with refused_as(KEPT_FOR_LOANS, partial(invalid, "external_id")):
            changed = await connection.fetchval(
                query("api/update_category"),
                category_id,
                change.name,
                change.description.given,
                change.description.value,
                change.external_id.given,
                change.external_id.value,
                *metadata_merge(change.metadata),
            )
    except asyncpg.UniqueViolationError as error:
        raise ExternalIdTakenError from error
    return bool(changed)


async def discard_category(connection: Connection, category_id: UUID) -> datetime | None:
    """Discard a category and take it and its members apart; when that was, None when there is none.

    The ledger's chart must be locked already. Raises :class:`~worker.errors.Rejected` when loan events count on it.
    """
    discarded_at: datetime | None
    accounts = await connection.fetchval(query("api/lock_contained"), category_id)
    await connection.execute(query("ledger/lock_categories"), accounts)
    with refused_as(KEPT_FOR_LOANS, partial(invalid, "id")):
        discarded_at = await connection.fetchval(query("api/discard_category"), category_id)
    return discarded_at


def _category(row: asyncpg.Record) -> Category:
    return Category(
        id=row["id"],
        ledger_id=row["ledger_id"],
        external_id=row["external_id"],
        name=row["name"],
        description=row["description"],
        unit=read_unit(row),
        metadata=json.loads(row["metadata"]),
        sums=read_sums(row),
        discarded_at=row["discarded_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
