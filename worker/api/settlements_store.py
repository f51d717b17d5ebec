"""Ledger account settlements in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from worker.api.body import Change
from worker.api.ids import split_entry_id
from worker.api.metadata import metadata_filter, metadata_merge
from worker.api.objects import Settlement, SettlementStatus, Unit
from worker.api.query import Page, Range
from worker.api.rows import read_unit
from worker.database import Connection, query
from worker.ledger.transaction import Direction

STEP: Final = 50_000
"""Entries that one statement takes in or out: a second or two of work, however many there are."""


@dataclass(frozen=True, slots=True)
class SettlementFilter:
    """Which settlements a list shows."""

    ids: list[UUID] | None
    settled_account_id: UUID | None
    direction: Direction | None
    transaction_id: UUID | None
    ledger_id: UUID | None
    created_at: Range[datetime]
    updated_at: Range[datetime]
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class NewSettlement:
    """A settlement to begin; without a bound it takes in what is effective by now."""

    settled_account_id: UUID
    contra_account_id: UUID
    allow_either_direction: bool
    upper_bound: datetime | None
    description: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SettlementAccount:
    """What a settlement needs to know of an account."""

    ledger_id: UUID
    unit: Unit


@dataclass(frozen=True, slots=True)
class Completion:
    """What a settlement comes to."""

    status: SettlementStatus
    amount: int
    direction: Direction
    transaction_id: UUID | None


async def find_accounts(connection: Connection, account_ids: Sequence[UUID]) -> dict[UUID, SettlementAccount]:
    """Accounts in use by id."""
    rows = await connection.fetch(query("api/settlement_accounts"), list(account_ids))
    return {row["id"]: SettlementAccount(row["ledger_id"], read_unit(row)) for row in rows}


async def insert_settlement(connection: Connection, ledger_id: UUID, new: NewSettlement) -> UUID:
    """Begin a settlement as a draft without entries."""
    settlement_id: UUID = await connection.fetchval(
        query("api/insert_settlement"),
        ledger_id,
        new.settled_account_id,
        new.contra_account_id,
        new.allow_either_direction,
        new.upper_bound,
        new.description,
        json.dumps(dict(new.metadata)),
    )
    return settlement_id


async def lock_settlement(connection: Connection, settlement_id: UUID) -> Settlement | None:
    """Hold a settlement until the transaction ends; None when there is none."""
    if await connection.fetchval(query("api/lock_settlement"), settlement_id) is None:
        return None
    return await find_settlement(connection, settlement_id)


async def find_settlement(connection: Connection, settlement_id: UUID) -> Settlement | None:
    """A settlement, None when there is none."""
    row = await connection.fetchrow(query("api/find_settlement"), settlement_id)
    return None if row is None else _settlement(row)


async def list_settlements(connection: Connection, which: SettlementFilter, page: Page) -> list[Settlement]:
    """Settlements, newest first, and one more than the page shows."""
    rows = await connection.fetch(
        query("api/list_settlements"),
        which.ids,
        which.settled_account_id,
        which.direction,
        which.transaction_id,
        which.ledger_id,
        which.created_at.lower,
        which.created_at.upper,
        which.updated_at.lower,
        which.updated_at.upper,
        metadata_filter(which.metadata),
        page.after,
        page.and_one_more,
    )
    return [_settlement(row) for row in rows]


async def hold_settling(connection: Connection, account_id: UUID) -> None:
    """Keep others from settling an account until the transaction ends; needed for all that entries go through here."""
    await connection.execute(query("api/hold_settling"), account_id)


async def claim_due_entries(connection: Connection, settlement_id: UUID, account_id: UUID) -> int:
    """Take in all that is due by now; what it comes to.

    Nobody else is in the way of that, but others may go on posting, unless the account's balance is locked.
    """
    await connection.execute(query("api/begin_reading"))  # the account may have two new entries or two million
    while await connection.fetchval(query("api/reopen_entries"), account_id, STEP) == STEP:
        pass
    total = 0
    versions = await connection.fetchrow(query("api/unsettled_versions"), account_id)
    assert versions is not None
    for after in range(versions["settled"], versions["written"], STEP):
        upto = min(after + STEP, versions["written"])
        total += await connection.fetchval(query("api/claim_new_entries"), settlement_id, account_id, after, upto)
    more = True
    while more:
        taken = await connection.fetchrow(query("api/claim_open_entries"), settlement_id, account_id, STEP)
        assert taken is not None
        total += taken["total"]
        more = taken["entries"] == STEP
    return total


async def claim_entries(connection: Connection, settlement_id: UUID, entry_ids: Sequence[UUID]) -> int:
    """Take some entries into a draft; how many of them it then holds."""
    held: int = await connection.fetchval(query("api/claim_entries"), settlement_id, *_columns(entry_ids))
    return held


async def release_entries(connection: Connection, settlement_id: UUID, entry_ids: Sequence[UUID]) -> None:
    """Take entries out of a draft; those that are not in it are passed over."""
    await connection.execute(query("api/release_entries"), settlement_id, *_columns(entry_ids))


async def drafted_sum(connection: Connection, settlement_id: UUID) -> int:
    """Debits less credits of the entries a draft was given, kept as they come and go."""
    total: int = await connection.fetchval(query("api/drafted_sum"), settlement_id)
    return total


async def complete_settlement(connection: Connection, settlement_id: UUID, completion: Completion) -> None:
    """End the drafting."""
    await connection.execute(
        query("api/complete_settlement"),
        settlement_id,
        completion.status,
        completion.amount,
        completion.direction,
        completion.transaction_id,
    )


async def update_settlement(
    connection: Connection,
    settlement_id: UUID,
    status: SettlementStatus | None,
    description: Change[str],
    metadata: Mapping[str, str | None],
) -> None:
    """Change a settlement; None leaves the status."""
    await connection.execute(
        query("api/update_settlement"),
        settlement_id,
        status,
        description.given,
        description.value,
        *metadata_merge(metadata),
    )


def _columns(entry_ids: Sequence[UUID]) -> tuple[list[UUID], list[int]]:
    pairs = [split_entry_id(entry_id) for entry_id in entry_ids]
    return [transaction_id for transaction_id, _ in pairs], [n for _, n in pairs]


def _settlement(row: asyncpg.Record) -> Settlement:
    return Settlement(
        id=row["id"],
        ledger_id=row["ledger_id"],
        settled_account_id=row["settled_account_id"],
        contra_account_id=row["contra_account_id"],
        unit=read_unit(row),
        status=SettlementStatus(row["status"]),
        transaction_id=row["transaction_id"],
        allow_either_direction=row["allow_either_direction"],
        upper_bound=row["effective_at_upper_bound"],
        amount=row["amount"],
        direction=Direction(row["direction"]) if row["direction"] else None,
        description=row["description"],
        metadata=json.loads(row["metadata"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
