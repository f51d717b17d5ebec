"""The user's copy of pgledger is loaded, warmed up and posted to, and what is wrong with it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.stand_in import IDS, LEDGER, write_stand_in
from worker.bench.cases import Case, Variant
from worker.bench.pgbench import find_pgbench
from worker.bench.pgledger import MAX_CONNECTIONS, WARM_UP_POSTS, Pgledger, load, read_scripts
from worker.bench.pgledger_store import Script
from worker.bench.posting import Ring
from worker.bench.workload import ACCOUNTS, METADATA, Disbursement
from worker.database import Database
from worker.errors import UsageError

STAND_IN = [Script(Path("ids.sql"), IDS), Script(Path("ledger.sql"), LEDGER)]

MOVES = "select payer, payee, amount, metadata from stand_in_moves order by number"


async def test_a_disbursement_is_three_transfers_of_one_call(database: Database, database_url: str) -> None:
    accounts = await load(database, STAND_IN)
    assert accounts == [f"stand-in-{number}" for number in ACCOUNTS]
    async with Pgledger.open(database_url, accounts, callers=1) as rival, database.connection() as connection:
        await connection.execute("truncate stand_in_moves")
        await rival.post(Disbursement("one", (4, 5004, 1, 2, 3)))
        rows = await connection.fetch(MOVES)
    assert [tuple(row)[:3] for row in rows] == [
        ("stand-in-1", "stand-in-4", 100_000),
        ("stand-in-2", "stand-in-5004", 700),
        ("stand-in-3", "stand-in-5004", 300),
    ]
    assert all(json.loads(row["metadata"]) == METADATA for row in rows)


@pytest.mark.parametrize(("callers", "connections"), [(1, 1), (3, 3), (MAX_CONNECTIONS + 1, MAX_CONNECTIONS)])
async def test_every_connection_is_made_and_warm_before_anybody_calls(
    database: Database, database_url: str, callers: int, connections: int
) -> None:
    accounts = await load(database, STAND_IN)
    async with database.connection() as connection:
        await connection.execute("truncate stand_in_moves")
        async with Pgledger.open(database_url, accounts, callers):
            rows = await connection.fetch("select count(*) / 3 from stand_in_moves group by session")
    assert [row[0] for row in rows] == [WARM_UP_POSTS] * connections


async def test_everybodys_tables_are_filled_and_known_to_the_planner(database: Database, database_url: str) -> None:
    async with Ring.open(database_url) as ring:
        await ring.load_pgledger(STAND_IN)
        await ring.fill([Case(Variant.BARE, 2), Case(Variant.PGLEDGER, 2), Case(Variant.PRODUCT, 2)], find_pgbench())
    tables = ["bare_transactions", "bare_entries", "stand_in_moves", "ledger_transactions", "ledger_entries"]
    async with database.connection() as connection:
        rows = await connection.fetch("select relname, reltuples from pg_class where relname = any($1)", tables)
    assert {row["relname"] for row in rows if row["reltuples"] > 0} == set(tables)


async def test_what_a_file_sets_for_its_session_ends_with_it(database: Database) -> None:
    await load(database, [*STAND_IN, Script(Path("set.sql"), "set work_mem = '64kB'; set search_path = nowhere")])
    async with database.connection() as connection:
        assert await connection.fetchval("show work_mem") != "64kB"
        assert await connection.fetchval("select to_regclass('ledgers')") is not None


def test_files_are_read_in_the_order_they_are_named(tmp_path: Path) -> None:
    assert [script.text for script in read_scripts(write_stand_in(tmp_path))] == [IDS, LEDGER]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--pgledger names .*gone\.sql, which cannot be read: No such file"):
        read_scripts([tmp_path / "gone.sql"])
    with pytest.raises(UsageError, match=r"--pgledger names .*, which cannot be read: Is a directory"):
        read_scripts([tmp_path])
    image = tmp_path / "image.sql"
    image.write_bytes(b"\x89PNG")
    with pytest.raises(UsageError, match=r"--pgledger names .*image\.sql, which is not UTF-8 text"):
        read_scripts([image])


FAILING_ACCOUNTS = LEDGER.replace("values ($1)", "values ((1 / 0)::text)")
FAILING_TRANSFERS = LEDGER.replace("amount, $3 from", "amount / 0, $3 from")


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (
            [LEDGER, IDS],
            r"0\.sql fails: function stand_in_id\(bigint\) does not exist; give .* the ULID functions first",
        ),
        ([IDS, "create tabel x ()"], r'1\.sql fails: syntax error at or near "tabel"'),
        (
            [IDS],
            r"0\.sql did not create the function pgledger_create_account\(text, text, boolean, boolean\): give all",
        ),
        (
            [IDS, LEDGER.replace(", jsonb default null", ", json default null")],
            r"0\.sql, 1\.sql did not .* pgledger_create_transfers",
        ),
        ([IDS, f"begin; {LEDGER}"], r"did not create the function pgledger_create_account"),
        ([IDS, FAILING_ACCOUNTS], r"its accounts cannot be created: division by zero; give"),
        ([IDS, FAILING_TRANSFERS], r"it cannot post: division by zero; give"),
    ],
)
async def test_what_does_not_work_of_the_files_is_told_with_the_fix(
    database: Database, texts: list[str], told: str
) -> None:
    scripts = [Script(Path(f"{number}.sql"), text) for number, text in enumerate(texts)]
    with pytest.raises(UsageError, match=f"^--pgledger: .*{told}"):
        await load(database, scripts)
