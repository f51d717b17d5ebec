"""What pgbench inserts beside the product is what the product inserts: the same rows, indexes and checks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.bench import bare_store
from worker.bench.draw import Draw
from worker.bench.load import Load
from worker.bench.pgbench import find_pgbench, run_pgbench
from worker.bench.posting import SAME_ROWS
from worker.bench.processes import Meter
from worker.bench.product import open_books, post_batch
from worker.database import Connection, Database

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PAIRS = [("ledger_transactions", "same_transactions"), ("ledger_entries", "same_entries")]

OF_EACH_ITS_OWN = {"id", "ledger_id", "transaction_id", "account_id", "content_digest"}
"""What differs from transaction to transaction, besides all moments, at a length that is always the same."""

COLUMNS = """
    select attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attgenerated,
           pg_get_expr(adbin, adrelid)
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum
"""
INDEXES = "select pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::regclass"
CHECKS = "select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass and contype = 'c'"
OPTIONS = "select reloptions from pg_class where oid = $1::regclass"
TRIGGERS_AND_FOREIGN_KEYS = """
    select tgname from pg_trigger where tgrelid = $1::regclass
    union all
    select conname from pg_constraint where conrelid = $1::regclass and contype = 'f'
"""


def without_names(definition: str) -> str:
    return re.sub(r"INDEX \S+ ON \S+", "INDEX ON", definition)


async def structure(connection: Connection, table: str) -> dict[str, Any]:
    indexes = [without_names(row[0]) for row in await connection.fetch(INDEXES, table)]
    return {
        "columns": [tuple(row) for row in await connection.fetch(COLUMNS, table)],
        "indexes": sorted(indexes),
        "checks": sorted(row[0] for row in await connection.fetch(CHECKS, table)),
        "options": await connection.fetchval(OPTIONS, table),
    }


async def first_rows(connection: Connection, transactions: str, entries: str) -> tuple[dict[str, Any], ...]:
    """The first transaction and its entries; of what is each one's own, how long it is."""
    rows = await connection.fetch(
        f"""
        with first as (select * from {transactions} where external_id = 'disbursement-1')
        select to_jsonb(first) from first
        union all
        (select to_jsonb(e) from {entries} e where transaction_id = (select id from first) order by n)
        """
    )
    return tuple({name: common(name, value) for name, value in json.loads(row[0]).items()} for row in rows)


def common(name: str, value: Any) -> Any:
    if name in OF_EACH_ITS_OWN:
        return len(value)
    if value is not None and name.endswith(("_at", "_date")):
        return "a moment"
    return value


@pytest.mark.parametrize(("product", "same"), PAIRS)
async def test_pgbench_inserts_into_tables_like_the_products_without_what_protects_them(
    database: Database, product: str, same: str
) -> None:
    async with database.connection() as connection:
        await bare_store.create_rivals(connection)
        assert await structure(connection, same) == await structure(connection, product)
        assert not await connection.fetch(TRIGGERS_AND_FOREIGN_KEYS, same)


async def test_pgbench_inserts_the_rows_that_the_product_does(database: Database, database_url: str) -> None:
    books = await open_books(database)
    await post_batch(database, books, [(Draw("disbursement").hot(), datetime.now(UTC))])
    async with database.connection() as connection:
        await bare_store.create_rivals(connection)
        await run_pgbench(find_pgbench(), database_url, SAME_ROWS, Load(callers=2, seconds=0.1), Meter(None))
        product, same = [await first_rows(connection, *tables) for tables in zip(*PAIRS, strict=True)]
    assert len(product) == 6
    assert same == product


async def test_transactions_of_pgbench_have_ids_in_the_order_of_time_like_the_products(
    database: Database, database_url: str
) -> None:
    async with database.connection() as connection:
        await bare_store.create_rivals(connection)
        await run_pgbench(find_pgbench(), database_url, SAME_ROWS, Load(callers=2, seconds=0.1), Meter(None))
        rows = await connection.fetch("select id, created_at from same_transactions")
    assert rows
    for made, moment in rows:
        assert made.version == 7
        assert made.int % (1 << 16) == 0
        assert (made.int >> 80) - (moment - EPOCH) // timedelta(milliseconds=1) in {0, 1}
