"""A superuser changes any one column of any one row, every guard switched off: the audit names that row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest
from asyncpg import Record

from tests.ledger.books import Ledger, post_every_life, reverse
from tests.ledger.settled import settle_every_way
from worker.database import Connection
from worker.ledger import chain_store, store

KEYS: Final = {
    "ledger_accounts": ("id",),
    "ledger_account_balances": ("account_id",),
    "ledger_account_days": ("account_id", "day"),
    "ledger_transactions": ("id",),
    "ledger_transaction_versions": ("transaction_id", "version"),
    "ledger_entries": ("transaction_id", "n"),
    "ledger_entry_transitions": ("transaction_id", "n"),
    "ledger_chain": ("ledger_id", "position"),
    "ledger_chain_heads": ("ledger_id",),
    "ledger_account_categories": ("id",),
    "ledger_category_contents": ("account_id", "category_id"),
    "ledger_category_balances": ("category_id",),
    "ledger_account_statements": ("id",),
    "ledger_account_settlements": ("id",),
    "ledger_account_settlement_entries": ("transaction_id", "n"),
}
"""The tables that make the books, and what names a row of each."""

FREE: Final = {
    "ledger_accounts": {"external_id", "name", "description", "metadata", "ledgerable_type", "ledgerable_id"}
    | {"discarded_at", "updated_at", "for_loans"},
    "ledger_account_categories": {"external_id", "name", "description", "metadata", "discarded_at", "updated_at"}
    | {"for_loans"},
    "ledger_entries": {"metadata", "edited_at"},
    "ledger_transactions": {"effective_date", "content_digest"},
    "ledger_account_settlements": {"description", "metadata", "updated_at", "drafted"},
}
"""Columns that may change at any time; one that PostgreSQL computes; one that only tells a repeated request from a
contradicting one, neither of which writes anything; and what a settlement came to while it was a draft."""

WITHOUT_A_TRACE: Final = {"ledger_account_statements"}
"""Of what is missing here nothing else speaks: whoever asked for a statement has it."""

OTHER_VALUES: Final = {
    "bigint": "{0} + 1000",
    "integer": "{0} + 1000",
    "smallint": "{0} + 1",
    "numeric": "{0} + 1",
    "text": "coalesce({0}, '') || 'x'",
    "boolean": "not {0}",
    "uuid": "gen_random_uuid()",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 hour'",
    "date": "{0} + 100",
    "tstzrange": "tstzrange(now() - interval '1 hour', now())",
    "bytea": "sha256({0})",
    "jsonb": '{0} || \'{{"tampered": "yes"}}\'',
    "uuid[]": "array_append({0}, gen_random_uuid())",
    "integer[]": "array_append({0}, 7)",
    "numeric[]": "array_append({0}, 7)",
}
"""Something else than the column holds, by its type."""

CHOSEN: Final = {
    "status": "case {0} when 'posted' then 'archived' else 'posted' end",
    "to_status": "case {0} when 'posted' then 'archived' else 'posted' end",
    "direction": "case {0} when 'debit' then 'credit' else 'debit' end",
    "normal_balance": "case {0} when 'debit' then 'credit' else 'debit' end",
}
"""The same for columns that take some values only."""


async def columns(connection: Connection) -> AsyncIterator[tuple[str, str, str]]:
    """Every table and column that must not be changed, and the expression of another value."""
    rows = await connection.fetch(
        "select c.relname, a.attname, format_type(a.atttypid, null) as type from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid where c.relname = any($1) and c.relkind = 'r'"
        " and a.attnum > 0 and not a.attisdropped order by c.relname, a.attnum",
        list(KEYS),
    )
    for table, column, type_name in rows:
        if column not in FREE.get(table, ()):
            yield table, column, CHOSEN.get(column, OTHER_VALUES[type_name]).format(column)


@pytest.fixture
async def books(ledger: Ledger) -> Ledger:
    """Transactions of every life in two ledgers, with days, categories and a reversal; settlements and statements."""
    await post_every_life(ledger)
    await ledger.post(reverse("once", "undone"))
    await settle_every_way(ledger)
    return ledger


async def test_every_column_of_the_books_is_guarded(books: Ledger) -> None:
    missed = []
    async with books.database.connection() as connection, rolled_back(connection):
        await switch_guards_off(connection)
        assert await findings(connection) == set()
        async for table, column, other in columns(connection):
            for row in await some_rows(connection, table):
                async with rolled_back(connection):
                    names = await tamper(connection, table, row, f"set {column} = {other}")
                    if not names & await findings(connection):
                        missed.append((table, column, dict(row)))
    assert missed == []


async def test_every_missing_row_is_noticed(books: Ledger) -> None:
    missed = []
    async with books.database.connection() as connection, rolled_back(connection):
        await switch_guards_off(connection)
        for table in KEYS.keys() - WITHOUT_A_TRACE:
            for row in await some_rows(connection, table):
                async with rolled_back(connection):
                    names = await tamper(connection, table, row, None)
                    if not names & await findings(connection):
                        missed.append((table, dict(row)))
    assert missed == []


@asynccontextmanager
async def rolled_back(connection: Connection) -> AsyncIterator[None]:
    """A transaction or savepoint that leaves no trace."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def switch_guards_off(connection: Connection) -> None:
    """Have no trigger, key, check or rule of uniqueness refuse anything, as only a superuser can."""
    for table in KEYS:
        await connection.execute(f"alter table {table} disable trigger all")
    checks = await connection.fetch(
        "select conrelid::regclass::text as relation, conname from pg_constraint"
        " where contype in ('c', 'u') and conrelid = any($1::regclass[])",
        list(KEYS),
    )
    for relation, name in checks:
        await connection.execute(f"alter table {relation} drop constraint {name}")


async def some_rows(connection: Connection, table: str) -> list[Record]:
    """The keys of the first, the middle and the last row."""
    key = ", ".join(KEYS[table])
    rows = await connection.fetch(f"select {key} from {table} order by {key}")
    assert rows, table
    return [rows[place] for place in sorted({0, len(rows) // 2, len(rows) - 1})]


async def tamper(connection: Connection, table: str, row: Record, change: str | None) -> set[str]:
    """Change or (with None) delete a row; what the audit may call it, as it was or is now."""
    key = KEYS[table]
    where = " and ".join(f"{name} = ${place}" for place, name in enumerate(key, 1))
    action = f"update {table} {change}" if change else f"delete from {table}"
    changed = await connection.fetch(f"{action} where {where} returning *", *row)
    (after,) = changed
    return {name for one in (row, after) for name in names_of(table, key, one)}


def names_of(table: str, key: Sequence[str], row: Record) -> Iterator[str]:
    """The row itself; for what belongs to a transaction it or one of its states; what held an entry, and the entry."""
    yield f"{table} ({', '.join(key)}) = ({', '.join(str(row[name]) for name in key)})"
    if "transaction_id" in key or table == "ledger_transactions":
        transaction = row["id" if table == "ledger_transactions" else "transaction_id"]
        yield f"ledger_transactions (id) = ({transaction})"
    if table == "ledger_account_settlement_entries":
        yield f"ledger_entries (transaction_id, n) = ({row['transaction_id']}, {row['n']})"
        yield f"ledger_account_settlements (id) = ({row.get('settlement_id')})"


async def findings(connection: Connection) -> set[str]:
    """The rows that the audit names in all ledgers, a state of a transaction as the transaction."""
    found = set()
    for ledger_id, _ in await store.list_ledgers(connection):
        chain = await chain_store.verify_chain(connection, ledger_id)
        for one in (*await store.verify(connection, ledger_id), *chain.findings):
            found.add(one.row.partition(" of ")[2] if one.row.startswith("version ") else one.row)
    return found | {one.row for one in await store.verify_strays(connection)}
