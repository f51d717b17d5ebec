"""Decide a batch while the one before it is still being written.

What a batch leaves behind is known as soon as it is decided, before it is durable. The next one can be decided on that,
while the database is busy with the first: program and server work at the same time. Nothing is believed that was not
checked: the statement that writes locks every account and writes nothing unless each is at the version the decision
rests on (:func:`~worker.ledger.posting_store.write_foreseen`). Who finds that it is not, or that the batch before
failed, goes the careful way instead: :func:`~worker.ledger.poster.post`, under locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from worker.database import Connection
from worker.ledger import posting_store
from worker.ledger.book import Account, Book, Round
from worker.ledger.evaluate import evaluate
from worker.ledger.poster import new_ids
from worker.ledger.posting_store import Names
from worker.ledger.transaction import Create, Operation, Result


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A decision that is not written yet: the results it will have, and the accounts as it will leave them."""

    results: Sequence[Result]
    accounts: Mapping[UUID, Account]
    external_ids: frozenset[str]
    _ledger_id: UUID
    _now: datetime
    _round: Round | None
    _read: Mapping[UUID, int]

    async def write(self, connection: Connection) -> bool:
        """Write it, in one statement; False, and nothing is written, when it rests on what is no longer so.

        What it was decided on must have been written by then: versions are compared, and somebody else may have written
        one of the same number.
        """
        if self._round is None:
            return True
        return await posting_store.write_foreseen(connection, self._ledger_id, self._now, self._round, self._read)


async def foresee(
    connection: Connection, ledger_id: UUID, operations: Sequence[Operation], before: Foreseen | None
) -> Foreseen | None:
    """Decide operations on the balances as ``before`` will leave them; None when that takes locks.

    Only creations under external ids that are new can be foreseen: whatever else there is may be changing right now.
    """
    accounts, external_ids = Names(), set[str]()
    for operation in operations:
        if not isinstance(operation, Create):
            return None
        accounts.add([entry.account for entry in operation.transaction.entries])
        if operation.transaction.external_id is not None:
            external_ids.add(operation.transaction.external_id)
    if before is not None and not before.external_ids.isdisjoint(external_ids):
        return None
    read = await posting_store.read_balances(connection, ledger_id, accounts, external_ids)
    if read is None:
        return None
    latest = {account_id: _latest(account, before) for account_id, account in read.accounts.items()}
    versions = {account_id: account.lock_version for account_id, account in latest.items()}
    book = Book(ledger_id, read.now, latest.values())
    decision = evaluate(book, operations, new_ids())
    if len(decision.rounds) > 1:
        return None
    return Foreseen(
        decision.results,
        latest,
        frozenset(external_ids),
        ledger_id,
        read.now,
        decision.rounds[0] if decision.rounds else None,
        versions,
    )


def _latest(account: Account, before: Foreseen | None) -> Account:
    """The account as it was read, or as the batch before will leave it when that is further on."""
    ahead = before.accounts.get(account.fixed.id) if before else None
    if ahead is None or ahead.lock_version <= account.lock_version:
        return account
    return Account(account.fixed, *ahead.sums, ahead.lock_version)
