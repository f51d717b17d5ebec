"""The one way into the ledger: a batch of operations, each accepted or refused on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from worker.ledger.transaction import Operation, Result

if TYPE_CHECKING:
    from worker.database import Connection


async def post(connection: Connection, ledger_id: UUID, operations: Sequence[Operation]) -> list[Result]:
    """Apply ``operations`` in order inside the caller's transaction; one result for each, in the same order."""
    raise NotImplementedError
