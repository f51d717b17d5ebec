"""``/api/ledger_entries``.

Of an entry that its transaction replaced, the last status is shown (it was pending). ``effective_at`` and
``effective_date`` filter by the entry's own time, which is its transaction's unless it was given another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from worker.api import entries_store as store
from worker.api import statements_store
from worker.api.call import Answer, Call, answer, list_answer
from worker.api.entries_store import EntryFilter, EntryView
from worker.api.metadata import require_few
from worker.api.objects import Statement
from worker.api.query import Query, Range
from worker.api.reading_store import Listed, require_cursor, snapshot
from worker.api.refusals import invalid, not_found
from worker.api.render import render_entry
from worker.api.shapes import LedgerEntryObject
from worker.database import Database
from worker.ledger.transaction import Direction, Status

NOUN: Final = "Ledger entry"


class Entries:
    """Ledger entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, call: Call) -> Answer[Sequence[LedgerEntryObject]]:
        """A page of entries."""
        asked = call.query
        which, payout_id = _read_filter(asked), asked.uuid("ledger_account_payout_id")
        statement_id = asked.uuid("ledger_account_statement_id")
        view, page = EntryView(_read_order(asked, which), asked.flag("show_balances")), asked.page()
        asked.finish()
        if payout_id is not None:
            return list_answer([], page)  # payouts were withdrawn: no entry belongs to one
        async with snapshot(self._database) as connection:
            if statement_id is not None:
                statement = await statements_store.find_statement(connection, statement_id)
                within = None if statement is None else _within(which, statement)
                if within is None:
                    return list_answer([], page)
                which = within
            await require_cursor(connection, Listed.ENTRIES, page)  # in the order of ids it need not be one
            entries = await store.list_entries(connection, which, view, page)
        return list_answer([render_entry(entry) for entry in entries], page)

    async def retrieve(self, call: Call) -> Answer[LedgerEntryObject]:
        """One entry."""
        asked, entry_id = call.query, call.id(NOUN)
        show_balances = asked.flag("show_balances")
        asked.finish()
        async with self._database.connection() as connection:
            entry = await store.find_entry(connection, entry_id, show_balances=show_balances)
        if entry is None:
            raise not_found(NOUN)
        return answer(render_entry(entry))

    async def update(self, call: Call) -> Answer[LedgerEntryObject]:
        """Other metadata, all that ever changes about an entry."""
        body, entry_id = call.body, call.id(NOUN)
        metadata = body.metadata_changes()
        body.finish()
        async with self._database.transaction() as connection:
            await store.update_entry(connection, entry_id, metadata)
            entry = await store.find_entry(connection, entry_id, show_balances=False)
            if entry is None:
                raise not_found(NOUN)
            require_few(entry.metadata, metadata)
        return answer(render_entry(entry))


def _read_filter(asked: Query) -> EntryFilter:
    account_id, as_of_version = asked.uuid("ledger_account_id"), asked.whole("as_of_lock_version")
    if as_of_version is not None and account_id is None:
        raise invalid("as_of_lock_version", "as_of_lock_version needs a ledger_account_id")
    return EntryFilter(
        ids=asked.uuids("id"),
        account_id=account_id,
        transaction_id=asked.uuid("ledger_transaction_id"),
        effective_at=asked.effective(),
        updated_at=asked.moments("updated_at"),
        as_of_version=as_of_version,
        show_deleted=asked.flag("show_deleted"),
        version=asked.wholes("ledger_account_lock_version"),
        category_id=asked.uuid("ledger_account_category_id"),
        direction=asked.choice("direction", Direction),
        statuses=asked.choices("status", Status),
        amount=asked.wholes("amount"),
        metadata=asked.metadata(),
        settlement_id=asked.uuid("ledger_account_settlement_id"),
    )


def _within(which: EntryFilter, statement: Statement) -> EntryFilter | None:
    """The filter within a statement: the entries its account had at its version; None when none can be meant."""
    if which.account_id not in {None, statement.account_id} or which.as_of_version not in {
        None,
        statement.lock_version,
    }:
        return None
    lower, upper = which.effective_at.lower, which.effective_at.upper
    bounds = Range(
        max(lower or statement.lower_bound, statement.lower_bound),
        min(upper or statement.upper_bound, statement.upper_bound),
    )
    return replace(which, account_id=statement.account_id, as_of_version=statement.lock_version, effective_at=bounds)


def _read_order(asked: Query, which: EntryFilter) -> str:
    order = asked.order()
    if order is not None:
        return f"{order.field} {order.direction}"
    return "id" if which.account_id is None else "version"
