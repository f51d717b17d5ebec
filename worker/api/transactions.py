"""``/api/ledger_transactions`` and their versions.

An external id that exists already is refused even when everything else is equal, as Modern Treasury does: it is the
idempotency key that repeats. A transaction is found by external id in any ledger while it is not archived; one that two
ledgers share is a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from worker.api import posting_store
from worker.api import transactions_store as store
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.effects import Effects, Posting
from worker.api.loan_events import refuse_change
from worker.api.outcomes import external_id_taken, refusal, shown
from worker.api.query import NEWEST_FIRST, Page, Query
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import LastingConflict, invalid, not_found, unknown
from worker.api.render import render_transaction, render_version
from worker.api.shapes import LedgerTransactionObject, LedgerTransactionVersionObject
from worker.api.transaction_body import (
    LedgerableType,
    Wanted,
    read_create,
    read_partial_post,
    read_reversal,
    read_update,
)
from worker.api.transactions_store import TransactionFilter, VersionFilter
from worker.database import Database
from worker.ledger.transaction import Posted, Refused, Replayed, Status, Update

NOUN: Final = "Ledger transaction"

REMEMBERED_ACCOUNTS: Final = 100_000
"""Accounts whose ledger is remembered: some ten megabytes. Past that, all are asked for again."""


class Transactions:
    """Ledger transactions."""

    def __init__(self, database: Database, effects: Effects) -> None:
        self._database = database
        self._effects = effects
        self._ledgers: dict[UUID, UUID] = {}

    async def list(self, call: Call) -> Answer[Sequence[LedgerTransactionObject]]:
        """A page of transactions.

        The newest first, unless they are ordered.
        """
        asked = call.query
        which, order, page = _read_filter(asked), asked.order() or NEWEST_FIRST, asked.page()
        asked.finish()
        async with snapshot(self._database) as connection:
            transactions = await store.list_transactions(connection, which, order, page)
            if not transactions:
                await require_cursor(connection, Listed.TRANSACTIONS, page)
        return list_answer([render_transaction(transaction) for transaction in transactions], page)

    async def retrieve(self, call: Call) -> Answer[LedgerTransactionObject]:
        """One transaction, by its id or external id."""
        key = call.key()
        call.query.finish()
        return await self._show(key)

    async def list_versions(self, call: Call) -> Answer[Sequence[LedgerTransactionVersionObject]]:
        """A page of versions of all transactions, or of the one a filter names."""
        asked = call.query
        return await self._list_versions(*_read_versions(asked, asked.uuid("ledger_transaction_id")))

    async def list_own_versions(self, call: Call) -> Answer[Sequence[LedgerTransactionVersionObject]]:
        """A page of versions of the transaction in the path."""
        transaction_id = call.id(NOUN)
        which, page = _read_versions(call.query, transaction_id)
        async with self._database.connection() as connection:
            if await posting_store.transaction_before(connection, transaction_id) is None:
                raise not_found(NOUN)
        return await self._list_versions(which, page)

    async def create(self, call: Call) -> Answer[LedgerTransactionObject]:
        """A new transaction.

        Debits equal credits in every currency, which is a code with an exponent, and there is one of each at least;
        amounts of zero count. An expected `lock_version` is the account's before the transaction, conditions are on its
        balances after all entries of the transaction. With `archive_on_balance_lock_failure` a transaction is archived
        when either does not hold; its entries take versions of their accounts like any others.
        """
        wanted = read_create(call.body)
        if not wanted.accounts:
            raise invalid("ledger_entries", "A ledger transaction has at least one debit and one credit")
        ledger_id = await self._ledger_of(wanted.accounts[0])
        if ledger_id is None:
            raise unknown("ledger_entries[0].ledger_account_id", "Ledger account")
        return await self._post(call, wanted, ledger_id, 201)

    async def update(self, call: Call) -> Answer[LedgerTransactionObject]:
        """Change, post or archive a pending transaction, or the metadata of any.

        Nothing else about a posted or archived one changes, its description and external id neither; the status it has
        may be repeated.
        """
        return await self._change(call, read_update(call.body, call.id(NOUN)), 200)

    async def create_partial_post(self, call: Call) -> Answer[LedgerTransactionObject]:
        """Post a part of a pending transaction."""
        return await self._change(call, read_partial_post(call.body, call.id(NOUN)), 201)

    async def create_reversal(self, call: Call) -> Answer[LedgerTransactionObject]:
        """Undo a posted transaction.

        Once: another reversal is refused until the first one is archived.
        """
        return await self._change(call, read_reversal(call.body, call.id(NOUN)), 201)

    async def _change(self, call: Call, wanted: Wanted, status: int) -> Answer[LedgerTransactionObject]:
        async with self._database.connection() as connection:
            before = await posting_store.transaction_before(connection, call.id(NOUN))
        if before is None:
            raise not_found(NOUN)
        refuse_change(before, wanted.operation)
        return await self._post(call, wanted, before.ledger_id, status, before.status)

    async def _post(
        self, call: Call, wanted: Wanted, ledger_id: UUID, status: int, was: Status | None = None
    ) -> Answer[LedgerTransactionObject]:
        def draw(posted: Posted) -> Answer[LedgerTransactionObject]:
            return answer(render_transaction(shown(posted.written, wanted.shows_balances)), status)

        match await self._effects.post(call, Posting(ledger_id, wanted.operation, draw)):
            case Answer() as answered:
                return answered
            case Refused() as refused:
                raise refusal(refused, was, wanted.entries_name)
            case Replayed() as replayed if isinstance(wanted.operation, Update):
                return await self._unchanged(call, replayed)
            case Replayed():
                raise external_id_taken()

    async def _unchanged(self, call: Call, replayed: Replayed) -> Answer[LedgerTransactionObject]:
        """An update told the transaction what it was already."""
        if replayed.written is not None:
            return answer(render_transaction(shown(replayed.written)))
        return await self._show(call.path["id"])

    async def _show(self, key: str) -> Answer[LedgerTransactionObject]:
        async with snapshot(self._database) as connection:
            found = await store.find_transactions(connection, key)
        if not found:
            raise not_found(NOUN)
        if len(found) > 1:
            raise LastingConflict("id", "Several ledgers have a ledger transaction with this external ID: use its id")
        return answer(render_transaction(found[0]))

    async def _ledger_of(self, account_id: UUID) -> UUID | None:
        """The ledger of an account, asked for once: it never changes."""
        if (known := self._ledgers.get(account_id)) is not None:
            return known
        async with self._database.connection() as connection:
            ledger_id = await posting_store.ledger_of_account(connection, account_id)
        if ledger_id is not None:
            if len(self._ledgers) >= REMEMBERED_ACCOUNTS:
                self._ledgers.clear()
            self._ledgers[account_id] = ledger_id
        return ledger_id

    async def _list_versions(
        self, which: VersionFilter, page: Page
    ) -> Answer[Sequence[LedgerTransactionVersionObject]]:
        async with snapshot(self._database) as connection:
            versions = await store.list_versions(connection, which, page)
            if not versions:
                await require_cursor(connection, Listed.VERSIONS, page)
        return list_answer([render_version(version) for version in versions], page)


def _read_versions(asked: Query, transaction_id: UUID | None) -> tuple[VersionFilter, Page]:
    which = VersionFilter(
        transaction_id,
        asked.uuids("id"),
        asked.moments("created_at"),
        asked.wholes("version"),
        asked.uuid("ledger_account_statement_id"),
    )
    page = asked.page()
    asked.finish()
    return which, page


def _read_filter(asked: Query) -> TransactionFilter:
    return TransactionFilter(
        ids=asked.uuids("id"),
        ledger_id=asked.uuid("ledger_id"),
        account_id=asked.uuid("ledger_account_id"),
        effective_at=asked.effective(),
        posted_at=asked.moments("posted_at"),
        updated_at=asked.moments("updated_at"),
        amount=asked.wholes("amount"),
        statuses=asked.choices("status", Status),
        external_id=asked.text("external_id"),
        category_id=asked.uuid("ledger_account_category_id"),
        reverses=asked.uuid("reverses_ledger_transaction_id"),
        partially_posts=asked.uuid("partially_posts_ledger_transaction_id"),
        ledgerable_id=asked.uuid("ledgerable_id"),
        ledgerable_type=asked.choice("ledgerable_type", LedgerableType),
        metadata=asked.metadata(),
        settlement_id=asked.uuid("ledger_account_settlement_id"),
    )
