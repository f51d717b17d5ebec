"""The ledger's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from worker.ledger.transaction import AccountSpec

if TYPE_CHECKING:
    from worker.database import Connection


async def ensure_ledger(connection: Connection, name: str) -> UUID:
    """The id of the worker's ledger of this name, which is created when it does not exist yet."""
    raise NotImplementedError


async def ensure_accounts(connection: Connection, ledger_id: UUID, specs: Iterable[AccountSpec]) -> dict[str, UUID]:
    """The ids by external id of the accounts, which are created with their categories when they do not exist yet."""
    raise NotImplementedError
