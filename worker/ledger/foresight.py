"""Decide a batch while the one before it is still being written.

What a batch leaves behind is known as soon as it is decided, before it is durable. The next one can be decided on that,
while the database is busy with the first: program and server work at the same time. Nor need anything be read that this
process wrote last (:mod:`worker.ledger.memory`). Nothing is believed that is not checked: the tables refuse entries
that do not go on from the very version and sums of their account (``ledger_check_entries``), and what they cannot
check, such as a refusal, rests on what was just read. Who finds that the books have moved on, or that the batch before
failed, goes the careful way instead: :func:`~worker.ledger.poster.post`, under locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from worker.database import Connection
from worker.ledger import posting_store
from worker.ledger.book import Account, Book
from worker.ledger.evaluate import evaluate
from worker.ledger.memory import Memory
from worker.ledger.poster import new_ids
from worker.ledger.posting_store import Creations, Locked, Names
from worker.ledger.transaction import Create, Operation, Posted, Result, Status


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A decision that is not written yet: the results it will have, and the accounts as it will leave them."""

    results: Sequence[Result]
    accounts: Mapping[UUID, Account]
    external_ids: frozenset[str]
    _creations: Creations | None

    @property
    def rests_on_tables(self) -> bool:
        """Whether the tables refuse to write the results unless they are right, and so whatever they were decided on.

        They know of no refusals, and archived transactions may share an external id with a live one.
        """
        return all(isinstance(result, Posted) and result.status is not Status.ARCHIVED for result in self.results)

    async def write(self, connection: Connection, memory: Memory) -> bool:
        """Write it, in one statement, and remember what that says of the database's clock.

        False, and nothing is written, when it rests on what is no longer so.
        """
        if self._creations is None:
            return True
        moment = await self._creations.write(connection)
        if moment is not None:
            memory.set_clock(moment)
        return moment is not None


async def foresee(
    connection: Connection,
    ledger_id: UUID,
    operations: Sequence[Operation],
    before: Foreseen | None,
    memory: Memory,
) -> Foreseen | None:
    """Decide operations on the balances as ``before`` will leave them; None when that takes locks.

    Only creations under external ids that are new can be foreseen: whatever else there is may be changing right now, as
    are the sums of categories, for anybody who posts to another account in them.
    """
    named, external_ids = Names(), set[str]()
    for operation in operations:
        if not isinstance(operation, Create) or operation.category_locks:
            return None
        named.add([entry.account for entry in operation.transaction.entries])
        if operation.transaction.external_id is not None:
            external_ids.add(operation.transaction.external_id)
    if before is not None and not before.external_ids.isdisjoint(external_ids):
        return None
    remembered, unknown = memory.recall(named)
    if remembered:
        seen = await _complete(connection, ledger_id, remembered, unknown, memory)
        foreseen = _decide(ledger_id, operations, seen, before) if seen else None
        if foreseen is None or foreseen.rests_on_tables:
            return foreseen
    seen = await _read(connection, ledger_id, named, external_ids, memory)
    return _decide(ledger_id, operations, seen, before) if seen else None


async def _complete(
    connection: Connection, ledger_id: UUID, remembered: Mapping[UUID, Account], unknown: Names, memory: Memory
) -> Locked | None:
    """What is remembered, and what had to be read."""
    read = await _read(connection, ledger_id, unknown, (), memory) if unknown else None
    if memory.now is None:
        return None
    return Locked(memory.now, {**remembered, **read.accounts} if read else remembered)


async def _read(
    connection: Connection, ledger_id: UUID, named: Names, external_ids: Iterable[str], memory: Memory
) -> Locked | None:
    read = await posting_store.read_balances(connection, ledger_id, named, external_ids)
    if read is not None:
        memory.keep(read.accounts.values())
        memory.set_clock(read.now)
    return read


def _decide(ledger_id: UUID, operations: Sequence[Operation], seen: Locked, before: Foreseen | None) -> Foreseen | None:
    ahead = before.accounts if before else {}
    accounts = {account_id: _latest(account, ahead.get(account_id)) for account_id, account in seen.accounts.items()}
    book = Book(ledger_id, seen.now, accounts.values())
    decision = evaluate(book, operations, new_ids())
    if len(decision.rounds) > 1:
        return None
    creations = Creations(ledger_id, seen.now, decision.rounds[0]) if decision.rounds else None
    return Foreseen(decision.results, accounts, frozenset(book.live), creations)


def _latest(account: Account, ahead: Account | None) -> Account:
    """The account as it was seen, or as the batch before will leave it when that is further on; free to be moved."""
    latest = account if ahead is None or ahead.lock_version <= account.lock_version else ahead
    return Account(account.fixed, *latest.sums, latest.lock_version)
