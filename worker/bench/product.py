"""The product as it is measured: its own poster, with every guarantee, on accounts that are in nested categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from worker.bench.workload import ACCOUNTS, AMOUNTS, METADATA, SIDES, Disbursement
from worker.database import Database
from worker.errors import Bug
from worker.ledger import store
from worker.ledger.group_poster import GroupPoster
from worker.ledger.transaction import (
    AccountSpec,
    CategorySpec,
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    Posted,
    Status,
)

LEDGER: Final = "Bench"
CURRENCY: Final = "USD"

LEAVES: Final = 100
"""Categories that the accounts are in, evenly."""

BRANCHES: Final = 10
"""Categories that the leaves are nested in, evenly; all of them are in one root."""

ACCOUNTS_PER_STATEMENT: Final = 2_000
"""Accounts created at once, well within a statement's time."""

_DIRECTIONS: Final = tuple(Direction.DEBIT if side > 0 else Direction.CREDIT for side in SIDES)


async def open_books(database: Database) -> tuple[UUID, Sequence[UUID]]:
    """Create the ledger with all accounts; returns its id and the accounts' ids by their number."""
    ids: dict[str, UUID] = {}
    specs = list(_specs())
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, LEDGER)
        for first in range(0, len(specs), ACCOUNTS_PER_STATEMENT):
            ids |= await store.ensure_accounts(connection, ledger_id, specs[first : first + ACCOUNTS_PER_STATEMENT])
    return ledger_id, [UUID(int=0), *(ids[_name(number)] for number in ACCOUNTS)]


class Product:
    """Posts as the ledger's API does."""

    def __init__(self, poster: GroupPoster[None, None], ledger_id: UUID, accounts: Sequence[UUID]) -> None:
        self._poster = poster
        self._ledger_id = ledger_id
        self._accounts = accounts

    async def post(self, disbursement: Disbursement) -> None:
        """Post it; returns when it is durable."""
        accounts = self._accounts
        entries = [
            NewEntry(accounts[number], direction, amount)
            for number, direction, amount in zip(disbursement.accounts, _DIRECTIONS, AMOUNTS, strict=True)
        ]
        transaction = NewTransaction(
            disbursement.external_id, Status.POSTED, datetime.now(UTC), None, METADATA, tuple(entries)
        )
        result = await self._poster.submit(self._ledger_id, Create(transaction))
        if not isinstance(result, Posted):
            raise Bug(f"a measured posting was refused: {result}")


def _specs() -> Iterator[AccountSpec]:
    for number in ACCOUNTS:
        leaf = _category("leaf", number % LEAVES, _category("branch", number % BRANCHES, _category("root", 0, None)))
        yield AccountSpec(_name(number), f"Account {number}", Direction.DEBIT, CURRENCY, categories=(leaf,))


def _category(kind: str, number: int, parent: CategorySpec | None) -> CategorySpec:
    return CategorySpec(f"{kind}-{number}", f"{kind.title()} {number}", Direction.DEBIT, CURRENCY, parent=parent)


def _name(number: int) -> str:
    return f"account-{number}"
