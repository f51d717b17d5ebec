"""The poster's statements: what it locks, what it reads under the locks, what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.ledger.balance import Sums
from worker.ledger.book import (
    Account,
    BalanceRow,
    Category,
    ChangeRow,
    DayRow,
    KnownTransaction,
    Round,
    TransactionRow,
    TransitionRow,
)
from worker.ledger.chain import digest_of
from worker.ledger.columns import Places, columns, whole_numbers, words
from worker.ledger.transaction import Direction, Ledgerable, Status
from worker.ledger.written import LedgerAccount, Written, WrittenEntry, sealed_text, split_entry_id

_ENTRY_WIDTH: Final = WrittenEntry._fields.index("created_at")
"""What an entry's row is written with; the rest is the database's or the account's."""


_OVERTAKEN: Final = frozenset({"LW004", "LW006", "LW007", "23505"})
"""What the database says when somebody else was there first or its clock was set back: what was decided does not go on
from what is there now, is on an account that is out of use by now, is yet to come, or takes a version or an external id
once more."""

_SIDES: Final = {direction.value: direction for direction in Direction}


@dataclass(slots=True)
class Names:
    """Accounts or transactions as callers name them: by external id or by id."""

    external_ids: set[str] = field(default_factory=set)
    ids: set[UUID] = field(default_factory=set)

    def add(self, keys: Iterable[str | UUID]) -> None:
        """Take in some more."""
        for key in keys:
            if isinstance(key, UUID):
                self.ids.add(key)
            else:
                self.external_ids.add(key)

    def __bool__(self) -> bool:
        return bool(self.external_ids or self.ids)


@dataclass(frozen=True, slots=True)
class Locked:
    """Accounts by id, and a moment: the last one was locked at that time, or all were read."""

    now: datetime
    accounts: Mapping[UUID, Account]


async def lock_transactions(connection: Connection, ledger_id: UUID, named: Names) -> dict[UUID, list[asyncpg.Record]]:
    """Lock the transactions until the database transaction ends; their live entries by id.

    An external id names the live transaction, an id any.
    """
    rows = await connection.fetch(
        query("ledger/lock_transactions"), ledger_id, list(named.external_ids), list(named.ids)
    )
    entries: dict[UUID, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
    if entries:
        # Read after the locks: a statement does not see what was committed while it waited for one.
        for row in await connection.fetch(query("ledger/live_entries"), list(entries)):
            entries[row["transaction_id"]].append(row)
    return entries


async def lock_balances(connection: Connection, ledger_id: UUID, named: Names) -> Locked:
    """Lock the balances of the accounts until the database transaction ends; those that exist.

    External ids are the ledger's own; ids find accounts of any ledger, so that a wrong one can be told.
    """
    rows = await connection.fetch(query("ledger/lock_balances"), ledger_id, list(named.external_ids), list(named.ids))
    if not rows:
        return Locked(datetime.min.replace(tzinfo=UTC), {})  # without accounts nothing is written, at whatever moment
    return Locked(rows[-1]["now"], {row["id"]: _account(row) for row in rows})


async def read_balances(
    connection: Connection, ledger_id: UUID, named: Names, external_ids: Iterable[str] = ()
) -> Locked | None:
    """The balances of the accounts, those that exist, as they are now and without a lock.

    None when there are none, or one of the ``external_ids`` names a live transaction.
    """
    rows = await connection.fetch(
        query("ledger/read_balances"), ledger_id, list(named.external_ids), list(named.ids), list(external_ids)
    )
    if not rows or rows[0]["taken"]:
        return None
    return Locked(rows[-1]["now"], {row["id"]: _account(row) for row in rows})


async def find_transactions(
    connection: Connection,
    ledger_id: UUID,
    named: Names,
    entries: Mapping[UUID, Sequence[asyncpg.Record]],
    locked: Locked,
) -> list[KnownTransaction]:
    """The named transactions, live ones and the last archived one of an external id.

    Those with ``entries`` are locked. Call it under the locks of the balances: it then sees what any batch before this
    one on the same accounts wrote.
    """
    if not named:
        return []
    rows = await connection.fetch(
        query("ledger/find_transactions"), ledger_id, list(named.external_ids), list(named.ids)
    )
    return [
        KnownTransaction(
            _written(row, [_entry(entry, locked) for entry in entries.get(row["id"], ())]),
            row["content_digest"],
            row["id"] in entries,
            row["settlement_id"],
        )
        for row in rows
    ]


async def lock_named_categories(
    connection: Connection, ledger_id: UUID, category_ids: Iterable[UUID], locked: Locked
) -> list[Category]:
    """Lock the ledger's categories that conditions name until the database transaction ends; those that exist.

    The locked accounts that they contain carry them along. The other categories of these accounts are locked with
    them, before a posting statement would do so in an order of its own.
    """
    rows = await connection.fetch(
        query("ledger/lock_named_categories"), ledger_id, list(locked.accounts), list(category_ids)
    )
    categories = []
    for category_id, normal_balance, *sums, contained in rows:
        category = Category(category_id, _SIDES[normal_balance], Sums(*sums))
        for account_id in contained:
            locked.accounts[account_id].categories += (category,)
        categories.append(category)
    return categories


async def lock_categories(connection: Connection, rounds: Sequence[Round]) -> None:
    """Lock the categories that the rounds change; one round does so by itself, several would each in its own order."""
    account_ids = {balance.account_id for written in rounds for balance in written.balances}
    await connection.execute(query("ledger/lock_categories"), list(account_ids))


async def write_round(connection: Connection, ledger_id: UUID, now: datetime, written: Round) -> None:
    """Write what was decided at ``now``; the balances must have been locked in this transaction."""
    if written.only_creates:
        await connection.execute(query("ledger/write_new"), *_new_arguments(ledger_id, now, written))
    else:
        await connection.execute(query("ledger/write_round"), *_arguments(ledger_id, now, written))


class Creations:
    """Creations decided at ``now``, perhaps without locks, made up for the statement that writes them."""

    def __init__(self, ledger_id: UUID, now: datetime, written: Round) -> None:
        self._arguments = _new_arguments(ledger_id, now, written)

    async def write(self, connection: Connection) -> datetime | None:
        """Write them in one statement; the moment it did so.

        None, and nothing is written, when an account has moved on or one of the external ids is taken; a transaction
        around it has to be rolled back then.
        """
        try:
            moment: datetime = await connection.fetchval(query("ledger/write_new"), *self._arguments)
        except asyncpg.PostgresError as error:
            if error.sqlstate in _OVERTAKEN:
                return None
            raise
        return moment


async def elect_poster(connection: Connection, ledger_id: UUID, process_id: UUID, term: timedelta) -> bool:
    """Elect the process for another term of the ledger; False while another one's has not ended."""
    return bool(await connection.fetchval(query("ledger/elect_poster"), ledger_id, process_id, term))


async def edit_entry_metadata(connection: Connection, entry_id: UUID, changes: Mapping[str, str | None]) -> bool:
    """Merge metadata into an entry's own, an empty or None value removes its key; False when there is no such entry."""
    transaction_id, n = split_entry_id(entry_id)
    text = json.dumps({key: value or None for key, value in changes.items()})
    return bool(await connection.fetchval(query("ledger/edit_entry_metadata"), transaction_id, n, text))


def _arguments(ledger_id: UUID, now: datetime, written: Round) -> list[Any]:
    """What ``ledger_write_round`` takes, in its order."""
    accounts = Places(balance.account_id for balance in written.balances)
    transactions = Places[UUID]()
    entries = _entry_columns(written.entries, transactions, accounts)
    days = _day_columns(written.days, accounts)
    return [
        ledger_id,
        now,
        accounts.values,
        *columns(written.transactions, len(TransactionRow._fields)),
        transactions.values,
        *entries,
        *columns(written.transitions, len(TransitionRow._fields)),
        *columns(written.changes, len(ChangeRow._fields)),
        *_balance_columns(written.balances),
        *days,
        [state.id for state in written.states],
        whole_numbers([state.version for state in written.states]),
        _digests(written),
    ]


def _new_arguments(ledger_id: UUID, now: datetime, written: Round) -> list[Any]:
    """What ``ledger_write_new`` takes, in its order."""
    balances = sorted(written.balances)  # by account: the order of locks
    accounts = Places(balance.account_id for balance in balances)
    ids, statuses, external_ids, *said, _, _, ledgerable_types, ledgerable_ids, last_entries, digests = columns(
        written.transactions, len(TransactionRow._fields)
    )
    entries = _entry_columns(written.entries, Places(ids), accounts)
    return [
        ledger_id,
        now,
        accounts.values,
        ids,
        words(statuses),
        external_ids,
        *said,
        ledgerable_types,
        ledgerable_ids,
        whole_numbers(last_entries),
        digests,
        *entries,
        *_balance_columns(balances),
        *_day_columns(written.days, accounts),
        _digests(written),
    ]


def _digests(written: Round) -> bytes:
    return b"".join([digest_of(state) for state in written.states])


def _entry_columns(rows: Sequence[WrittenEntry], transactions: Places[UUID], accounts: Places[UUID]) -> list[Any]:
    transaction_id, n, account_id, direction, amount, effective_at, metadata, *counted = columns(rows, _ENTRY_WIDTH)
    moments, kinds = Places[datetime](), Places[str]()
    places = [transactions.of(transaction_id), accounts.of(account_id), moments.of(effective_at), kinds.of(metadata)]
    return [
        moments.values,
        kinds.values,
        *places,
        whole_numbers(n),
        words(direction),
        whole_numbers(amount),
        *map(whole_numbers, counted),
    ]


def _balance_columns(rows: Sequence[BalanceRow]) -> list[Any]:
    _, *counted = columns(rows, len(BalanceRow._fields))
    return list(map(whole_numbers, counted))


def _day_columns(rows: Sequence[DayRow], accounts: Places[UUID]) -> list[Any]:
    account_id, day, *moves = columns(rows, len(DayRow._fields))
    days = Places[date]()
    places = [accounts.of(account_id), days.of(day)]
    return [days.values, *places, *map(whole_numbers, moves)]


def _account(row: asyncpg.Record) -> Account:
    (
        account_id,
        ledger_id,
        external_id,
        normal_balance,
        currency,
        exponent,
        discarded,
        posted_debits,
        posted_credits,
        pending_debits,
        pending_credits,
        lock_version,
        *_,
    ) = row
    sealed = sealed_text(account_id, normal_balance, currency, exponent)
    side = _SIDES[normal_balance]
    fixed = LedgerAccount(account_id, ledger_id, external_id, side, currency, exponent, discarded, sealed)
    return Account(fixed, posted_debits, posted_credits, pending_debits, pending_credits, lock_version)


def _written(row: asyncpg.Record, entries: Iterable[WrittenEntry]) -> Written:
    return Written(
        id=row["id"],
        ledger_id=row["ledger_id"],
        status=Status(row["status"]),
        external_id=row["external_id"],
        description=row["description"],
        metadata=row["metadata"],
        effective_at=row["effective_at"],
        posted_at=row["posted_at"],
        archived_reason=row["archived_reason"],
        ledgerable=Ledgerable(row["ledgerable_type"], row["ledgerable_id"]) if row["ledgerable_id"] else None,
        reverses=row["reverses_ledger_transaction_id"],
        reversed_by=row["reversed_by"],
        partially_posts=row["partially_posts_ledger_transaction_id"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        entries=tuple(entries),
    )


def _entry(row: asyncpg.Record, locked: Locked) -> WrittenEntry:
    return WrittenEntry(
        row["transaction_id"],
        row["n"],
        row["account_id"],
        Direction(row["direction"]),
        row["amount"],
        row["effective_at"],
        row["metadata"],
        row["lock_version"],
        row["posted_debits"],
        row["posted_credits"],
        row["pending_debits"],
        row["pending_credits"],
        row["created_at"],
        row["updated_at"],
        locked.accounts[row["account_id"]].fixed,
    )
