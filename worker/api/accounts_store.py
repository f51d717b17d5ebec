"""Ledger accounts in the database."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import asyncpg

from worker.api.changes import ExternalIdTakenError, ObjectChange
from worker.api.loan_events import KEPT_FOR_LOANS, PARTY_KEPT
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Account, Unit
from worker.api.query import Page, Range, Window
from worker.api.refusals import invalid
from worker.api.rows import read_ledgerable, read_sums, read_unit
from worker.api.texts import read_uuid
from worker.database import Connection, query, refused_as
from worker.ledger.balance import Sums
from worker.ledger.transaction import Direction, Ledgerable

FEW: Final = 10_000
"""Accounts up to which those within bounds of balances are looked up one by one. When more are, a page of them is soon
found by going through all accounts in their order."""


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts a list shows; a name need only contain one of :attr:`names`, in any case."""

    ids: list[UUID] | None
    names: list[str] | None
    ledger_id: UUID | None
    external_id: str | None
    currency: str | None
    normal_balance: Direction | None
    created_at: Range[datetime]
    updated_at: Range[datetime]
    category_id: UUID | None
    metadata: Mapping[str, str] | None
    pending: Range[int]
    posted: Range[int]
    available: Range[int]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create."""

    ledger_id: UUID
    external_id: str | None
    name: str
    description: str | None
    unit: Unit
    metadata: Mapping[str, str]
    ledgerable: Ledgerable | None


async def list_accounts(connection: Connection, which: AccountFilter, window: Window, page: Page) -> list[Account]:
    """Accounts, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_accounts"),
        which.ids,
        which.names,
        which.ledger_id,
        which.external_id,
        which.currency,
        which.normal_balance,
        which.created_at.lower,
        which.created_at.upper,
        which.updated_at.lower,
        which.updated_at.upper,
        which.category_id,
        metadata_filter(which.metadata),
        window.lower,
        window.upper,
        *_bounds(which.pending),
        *_bounds(which.posted),
        *_bounds(which.available),
        page.after,
        page.and_one_more,
        await _few_accounts(connection, which, window),
    )
    return [_account(row) for row in rows]


async def find_accounts(connection: Connection, key: str, window: Window) -> list[Account]:
    """The account of an id, or those of an external id: two at most, which is enough to know that it is not one.

    Each part is a statement of its own whose plan is kept: planning one for every wish takes longer than answering it.
    """
    account_id = read_uuid(key)
    found = [] if account_id is None else await _find_account(connection, account_id)
    if not found:
        named = await connection.fetch(query("api/accounts_named"), key)
        found = [account for row in named for account in await _find_account(connection, row["id"])]
    return [replace(account, sums=await _sums_within(connection, account, window)) for account in found]


async def sums_at_version(connection: Connection, account_id: UUID, version: int) -> Sums:
    """The sums an account had at a version that it has reached."""
    row = await connection.fetchrow(query("api/sums_at_version"), account_id, version)
    assert row is not None
    return read_sums(row)


async def insert_account(connection: Connection, new: NewAccount) -> Account | None:
    """Create an account, None when its external id is taken."""
    row = await connection.fetchrow(
        query("api/insert_account"),
        new.ledger_id,
        new.external_id,
        new.name,
        new.description,
        new.unit.normal_balance,
        new.unit.currency,
        new.unit.currency_exponent,
        json.dumps(dict(new.metadata)),
        new.ledgerable.type if new.ledgerable else None,
        new.ledgerable.id if new.ledgerable else None,
    )
    return None if row is None else _account(row)


async def update_account(connection: Connection, account_id: UUID, change: ObjectChange) -> bool:
    """Change an account; False when it does not exist or was discarded.

    Raises :class:`~worker.api.changes.ExternalIdTakenError` when another account of its ledger has the new external id,
    and :class:`~worker.errors.Rejected` when loan events find the account by the one it has, or a loan's or investor's
    accounts would no longer be found by their metadata.
    """
    try:
        with (
            refused_as(KEPT_FOR_LOANS, partial(invalid, "external_id")),
            refused_as(PARTY_KEPT, partial(invalid, "metadata")),
        ):
            changed = await connection.fetchval(
                query("api/update_account"),
                account_id,
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


async def lock_account(connection: Connection, account_id: UUID) -> int | None:
    """Keep an account from being posted to until the transaction ends; its version, None when there is none."""
    version: int | None = await connection.fetchval(query("api/lock_account"), account_id)
    return version


async def discard_account(connection: Connection, account_id: UUID) -> Account:
    """Discard a locked account without entries; :class:`~worker.errors.Rejected` when loan events count on it."""
    with refused_as(KEPT_FOR_LOANS, partial(invalid, "id")):
        row = await connection.fetchrow(query("api/discard_account"), account_id)
    assert row is not None
    return _account(row)


async def _find_account(connection: Connection, account_id: UUID) -> list[Account]:
    return [_account(row) for row in await connection.fetch(query("api/find_account"), account_id)]


async def _sums_within(connection: Connection, account: Account, window: Window) -> Sums:
    lower, upper = window.lower, window.upper
    sums = account.sums if upper is None else await _sums_before(connection, account.id, upper)
    if lower is None:
        return sums
    before = await _sums_before(connection, account.id, lower if upper is None else min(lower, upper))
    return Sums(*map(operator.sub, sums, before))


async def _sums_before(connection: Connection, account_id: UUID, moment: datetime) -> Sums:
    row = await connection.fetchrow(query("api/sums_before"), account_id, moment)
    assert row is not None
    return read_sums(row)


async def _few_accounts(connection: Connection, which: AccountFilter, window: Window) -> list[UUID] | None:
    """The only accounts that come into question by their balances, None when they are too many to be named."""
    bounds = [bound for amounts in (which.pending, which.posted, which.available) for bound in _bounds(amounts)[:2]]
    if window != Window() or all(bound is None for bound in bounds):
        return None
    few: list[UUID] | None = await connection.fetchval(query("api/few_accounts"), *bounds, FEW)
    return few


def _bounds(amounts: Range[int]) -> tuple[int | None, int | None, int | None]:
    return amounts.lower, amounts.upper, amounts.unequal


def _account(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        ledger_id=row["ledger_id"],
        external_id=row["external_id"],
        name=row["name"],
        description=row["description"],
        unit=read_unit(row),
        metadata=json.loads(row["metadata"]),
        ledgerable=read_ledgerable(row),
        lock_version=row["lock_version"],
        sums=read_sums(row),
        discarded_at=row["discarded_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
