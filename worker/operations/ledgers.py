"""Which ledger a person means."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from worker.database import Connection
from worker.errors import Rejected
from worker.ledger import store as ledger_store
from worker.loans.postings import LEDGER_NAME

FIELD: Final = "ledger"


class NamedLedger(NamedTuple):
    """A ledger, and what it is called."""

    id: UUID
    name: str


async def ledger_called(connection: Connection, words: str | None) -> NamedLedger:
    """The ledger with this id or name; without either the lender's own, which is created when it does not exist yet.

    Raises :class:`~worker.errors.Rejected` naming the field when there is none (404), or several of the name (400).
    """
    if words is None:
        return NamedLedger(await ledger_store.ensure_ledger(connection, LEDGER_NAME), LEDGER_NAME)
    found = [NamedLedger(*one) for one in await ledger_store.find_ledgers(connection, words)]
    if not found:
        raise Rejected(404, f"is the id or the name of no ledger: {words}", field=FIELD, code="not_found")
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise Rejected(400, f"must be an id, because {len(found)} ledgers have this name: {ids}", field=FIELD)
    return found[0]
