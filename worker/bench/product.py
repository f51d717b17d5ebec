"""The product as it is measured: its own poster, with every guarantee, on accounts that are in nested categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from worker.bench.workload import ACCOUNTS, AMOUNTS, METADATA, SIDES, Disbursement
from worker.database import Database
from worker.errors import Bug
from worker.ledger import poster, store
from worker.ledger.group_poster import GroupPoster
from worker.ledger.transaction import (
    AccountSpec,
    CategorySpec,
    Create,
    Direction,
    NewEntry,
    NewTransaction,
    Posted,
    Result,
    Status,
)

LEDGER: Final = "Bench"
CURRENCY: Final = "USD"

LEAVES: Final = 100
"""Categories that the accounts are in, evenly."""

BRANCHES: Final = 10
"""Categories that the leaves are nested in, evenly; all of them are in one root."""

ROOT: Final = "root-0"
"""External id of the category that contains every account."""

ACCOUNTS_PER_STATEMENT: Final = 2_000
"""Accounts created at once, well within a statement's time."""

_DIRECTIONS: Final = tuple(Direction.DEBIT if side > 0 else Direction.CREDIT for side in SIDES)


@dataclass(frozen=True, slots=True)
class Books:
    """A ledger to post to; its accounts' ids are found by their number."""

    ledger_id: UUID
    accounts: Sequence[UUID]

    def create(self, disbursement: Disbursement, at: datetime) -> Create:
        """The operation that posts a disbursement, effective at a moment."""
        entries = [
            NewEntry(self.accounts[number], direction, amount)
            for number, direction, amount in zip(disbursement.accounts, _DIRECTIONS, AMOUNTS, strict=True)
        ]
        return Create(
            NewTransaction(disbursement.external_id, Status.POSTED, at, None, METADATA, tuple(entries)),
        )


async def open_books(database: Database) -> Books:
    """Create the ledger with all its accounts and categories."""
    ids: dict[str, UUID] = {}
    specs = list(_specs())
    async with database.transaction() as connection:
        ledger_id = await store.ensure_ledger(connection, LEDGER)
        for first in range(0, len(specs), ACCOUNTS_PER_STATEMENT):
            ids |= await store.ensure_accounts(connection, ledger_id, specs[first : first + ACCOUNTS_PER_STATEMENT])
    return Books(ledger_id, [UUID(int=0), *(ids[_name(number)] for number in ACCOUNTS)])


async def post_batch(database: Database, books: Books, batch: Sequence[tuple[Disbursement, datetime]]) -> None:
    """Post disbursements of any day in one commit."""
    operations = [books.create(disbursement, at) for disbursement, at in batch]
    async with database.transaction() as connection:
        for result in await poster.post(connection, books.ledger_id, operations):
            _require_posted(result)


class Product:
    """Posts as the ledger's API does."""

    def __init__(self, poster: GroupPoster[None, None], books: Books) -> None:
        self._poster = poster
        self._books = books

    async def post(self, disbursement: Disbursement) -> None:
        """Post it; returns when it is durable."""
        operation = self._books.create(disbursement, datetime.now(UTC))
        _require_posted(await self._poster.submit(self._books.ledger_id, operation))


def _require_posted(result: Result | None) -> None:
    if not isinstance(result, Posted):
        raise Bug(f"a measured posting was refused: {result}")


def _specs() -> Iterator[AccountSpec]:
    root = _category(ROOT, None)
    branches = [_category(f"branch-{number}", root) for number in range(BRANCHES)]
    leaves = [_category(f"leaf-{number}", branches[number % BRANCHES]) for number in range(LEAVES)]
    for number in ACCOUNTS:
        yield AccountSpec(
            _name(number), _name(number), Direction.DEBIT, CURRENCY, categories=(leaves[number % LEAVES],)
        )


def _category(name: str, parent: CategorySpec | None) -> CategorySpec:
    return CategorySpec(name, name, Direction.DEBIT, CURRENCY, parent=parent)


def _name(number: int) -> str:
    return f"account-{number}"
