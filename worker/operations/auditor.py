"""What an auditor asks of the ledgers: whether they hold, and everything in them as a journal. Each is one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from worker.database import Connection, Database, sql_directory
from worker.ledger import chain_store, journal_store
from worker.ledger import store as ledger_store
from worker.ledger.guards import guards_of
from worker.ledger.journal.formats import JournalFormat, journal_in
from worker.ledger.journal.values import JournalEntry, JournalHead, JournalTransaction
from worker.ledger.reading import AccountBalance
from worker.ledger.transaction import Status
from worker.migrations import load_migrations
from worker.operations.documents import Document
from worker.operations.ledger_documents import finding_document
from worker.operations.ledgers import ledger_called

_NO_DAY: Final = date(1970, 1, 1)
"""The day on which a journal without any transaction opens its accounts."""


class Auditor:
    """Reads whole ledgers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def verify(self, ledger: str | None = None, kept: Mapping[int, bytes] = MappingProxyType({})) -> Document:
        """Ledgers, how far their chains reach, and everything in them that breaks the books.

        That is every ledger there is, or the one with this id or name. Links of its chain that somebody ``kept``, by
        their positions, must still be in it; without a ledger they are the lender's own. What guards the tables is
        looked at whatever the ledger.
        """
        guards = guards_of(migration.script for migration in load_migrations(sql_directory() / "migrations"))
        ledgers, findings = [], []
        async with self._audit() as connection:
            for ledger_id, name in await self._audited(connection, ledger, only_one=bool(kept)):
                chain = await chain_store.verify_chain(connection, ledger_id, kept)
                found = [*await ledger_store.verify(connection, ledger_id), *chain.findings]
                links, last = chain.position, chain.hash.hex()
                ledgers.append({"ledger_id": str(ledger_id), "name": name, "links": links, "last_hash": last})
                findings += [{"ledger": name, **finding_document(one)} for one in found]
            if ledger is None and not kept:
                strays = await ledger_store.verify_strays(connection)
                findings += [{"ledger": None, **finding_document(one)} for one in strays]
            off = await ledger_store.verify_guards(connection, guards)
            findings += [{"ledger": None, **finding_document(one)} for one in off]
        return {"ledgers": ledgers, "findings": findings}

    async def export(
        self,
        language: JournalFormat,
        period: tuple[date | None, date | None],
        write: Callable[[str], object],
        ledger: str | None = None,
    ) -> None:
        """Write a ledger, by its id or name, as a journal, piece by piece; the lender's own when none is given.

        With a first day, what was before is carried forward: what had been posted then and what is pending from then.
        """
        first, last = period
        async with self._audit() as connection:
            ledger_id, name = await ledger_called(connection, ledger)
            carried = await _carried_forward(connection, ledger_id, first)
            day_before = _before(first) if first else await journal_store.journal_first_day(connection, ledger_id)
            accounts = await journal_store.journal_accounts(connection, ledger_id)
            journal = journal_in(language, JournalHead(name, day_before or _NO_DAY, accounts))
            write(journal.opening())
            for transaction in carried:
                write(journal.transaction(transaction))
            async for transaction in journal_store.journal_transactions(connection, ledger_id, first, last):
                write(journal.transaction(transaction))

    @staticmethod
    async def _audited(connection: Connection, ledger: str | None, *, only_one: bool) -> Sequence[tuple[UUID, str]]:
        if ledger is None and not only_one:
            return await ledger_store.list_ledgers(connection)
        return [await ledger_called(connection, ledger)]

    @asynccontextmanager
    async def _audit(self) -> AsyncIterator[Connection]:
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            await ledger_store.begin_audit(connection)
            yield connection


async def _carried_forward(connection: Connection, ledger_id: UUID, first: date | None) -> list[JournalTransaction]:
    if first is None:
        return []
    day = _before(first)
    accounts = await ledger_store.trial_balance(connection, ledger_id, day)
    posted = _carry(Status.POSTED, day, accounts)
    pending = _carry(Status.PENDING, day, accounts)
    return [transaction for transaction in (posted, pending) if transaction.entries]


def _carry(status: Status, day: date, accounts: Sequence[AccountBalance]) -> JournalTransaction:
    """One transaction that leaves every account as all former ones of a status left it."""
    moved = [(account.account_id, _debit(account, status)) for account in accounts]
    return JournalTransaction(
        id=None,
        external_id=None,
        status=status,
        effective_date=day,
        description=f"Carried forward: {status}",
        metadata={},
        reverses=None,
        reversed=False,
        entries=tuple(JournalEntry(account_id, minor, day) for account_id, minor in moved if minor),
    )


def _debit(account: AccountBalance, status: Status) -> int:
    sums = account.sums
    posted = sums.posted_debits - sums.posted_credits
    return posted if status is Status.POSTED else sums.pending_debits - sums.pending_credits - posted


def _before(day: date) -> date:
    return day - timedelta(days=1)
