"""Migrations: forward only, checksummed, one transaction per file, safe to run twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import worker.migrations
from tests.foundation.servers import installed_binaries, running_server
from worker.database import Database, sql_directory
from worker.errors import DatabaseUnavailable
from worker.migrations import SchemaError, load_migrations, migrate, pending


@pytest.fixture
async def connection(empty_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of migrations in place of the program's own."""
    directory = tmp_path / "migrations"
    directory.mkdir()
    monkeypatch.setattr(worker.migrations, "sql_directory", lambda: tmp_path)
    load_migrations.cache_clear()
    return directory


def write(directory: Path, name: str, script: str) -> None:
    (directory / name).write_text(script, encoding="utf-8")
    load_migrations.cache_clear()


async def names_of_tables(connection: asyncpg.Connection[asyncpg.Record]) -> set[str]:
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


@pytest.mark.parametrize("binaries", installed_binaries(), ids=lambda path: path.parent.name)
async def test_the_schema_is_made_and_used_on_every_postgresql_found(binaries: Path) -> None:
    expected = [path.name for path in sorted((sql_directory() / "migrations").glob("*.sql"))]
    async with running_server(binaries) as server, Database.open(server.url()) as database:
        async with database.connection() as connection:
            assert [migration.file_name for migration in await migrate(connection)] == expected
            assert await migrate(connection) == []
            assert await pending(connection) == []
        async with database.transaction() as connection:
            assert await connection.fetchval("select count(*) from schema_migrations") == len(expected)


async def test_pending_files_are_applied_in_order_and_each_once(
    connection: asyncpg.Connection[asyncpg.Record], scripts: Path
) -> None:
    write(scripts, "0001_loans.sql", "create table loans (id int); insert into loans values (1);")
    write(scripts, "0002_more.sql", "alter table loans add column amount numeric; create table sagas (id int);")
    assert [migration.name for migration in await pending(connection)] == ["loans", "more"]
    assert await names_of_tables(connection) == set()
    assert [migration.name for migration in await migrate(connection)] == ["loans", "more"]
    write(scripts, "0003_jobs.sql", "create table jobs (id int);")
    assert [migration.name for migration in await migrate(connection)] == ["jobs"]
    assert await connection.fetchval("select count(*) from loans") == 1


async def test_two_migrators_at_once_apply_every_file_once(empty_database_url: str, scripts: Path) -> None:
    for number in range(1, 6):
        write(scripts, f"{number:04}_t.sql", f"create table t{number} (id int); select pg_sleep(0.05);")
    connections = [await asyncpg.connect(empty_database_url) for _ in range(3)]
    applied = await asyncio.gather(*(migrate(connection) for connection in connections))
    assert sorted(migration.version for part in applied for migration in part) == [1, 2, 3, 4, 5]
    for connection in connections:
        await connection.close()


async def test_a_file_that_fails_leaves_nothing_and_can_be_corrected(
    connection: asyncpg.Connection[asyncpg.Record], scripts: Path
) -> None:
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    write(scripts, "0002_sagas.sql", "create table sagas (id int); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(connection)
    assert await names_of_tables(connection) == {"schema_migrations", "loans"}
    write(scripts, "0002_sagas.sql", "create table sagas (id int);")
    assert [migration.name for migration in await migrate(connection)] == ["sagas"]


async def test_a_migrator_that_dies_in_a_file_leaves_nothing(
    empty_database_url: str, connection: asyncpg.Connection[asyncpg.Record], scripts: Path
) -> None:
    write(scripts, "0001_loans.sql", "create table loans (id int); select pg_sleep(60);")
    dying = asyncio.create_task(migrate_with_pool(empty_database_url))
    sleeping = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
    async with asyncio.timeout(10):
        while (pid := await connection.fetchval(sleeping)) is None:
            assert not dying.done()
    assert await connection.fetchval("select pg_terminate_backend($1)", pid)
    with pytest.raises(DatabaseUnavailable):
        await dying
    assert await names_of_tables(connection) == set()
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    assert [migration.name for migration in await migrate(connection)] == ["loans"]


async def migrate_with_pool(url: str) -> None:
    async with Database.open(url) as database, database.connection() as connection:
        await migrate(connection)


async def test_a_changed_file_is_refused(connection: asyncpg.Connection[asyncpg.Record], scripts: Path) -> None:
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    await migrate(connection)
    write(scripts, "0001_loans.sql", "create table loans (id bigint);")
    for check in (migrate, pending):
        with pytest.raises(SchemaError, match=r"0001_loans\.sql was changed after it was applied: restore it"):
            await check(connection)


async def test_line_endings_are_not_a_change(connection: asyncpg.Connection[asyncpg.Record], scripts: Path) -> None:
    write(scripts, "0001_loans.sql", "create table\nloans (id int);\n")
    await migrate(connection)
    (scripts / "0001_loans.sql").write_bytes(b"create table\r\nloans (id int);\r\n")
    load_migrations.cache_clear()
    assert await pending(connection) == []


async def test_a_newer_database_is_refused(connection: asyncpg.Connection[asyncpg.Record], scripts: Path) -> None:
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    write(scripts, "0002_sagas.sql", "create table sagas (id int);")
    await migrate(connection)
    (scripts / "0002_sagas.sql").unlink()
    load_migrations.cache_clear()
    with pytest.raises(SchemaError, match=r"0002_sagas\.sql, which this version .* does not know: run the newer"):
        await migrate(connection)


async def test_a_file_added_behind_an_applied_one_is_refused(
    connection: asyncpg.Connection[asyncpg.Record], scripts: Path
) -> None:
    write(scripts, "0002_sagas.sql", "create table sagas (id int);")
    await migrate(connection)
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    with pytest.raises(SchemaError, match=r"0001_loans\.sql comes before 0002.* give it the next free number"):
        await migrate(connection)


@pytest.mark.parametrize(
    ("name", "fault"), [("loans.sql", "must be named like"), ("0001_more.sql", "repeats a number")]
)
def test_a_misnamed_or_repeated_file_is_refused(scripts: Path, name: str, fault: str) -> None:
    write(scripts, "0001_loans.sql", "select 1")
    write(scripts, name, "select 1")
    with pytest.raises(SchemaError, match=rf"{name} {fault}"):
        load_migrations(scripts)


async def test_a_table_that_is_busy_is_waited_for_without_a_queue_behind_it(
    empty_database_url: str, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.migrations, "LOCK_TIMEOUT_MS", 10)
    monkeypatch.setattr(worker.migrations, "PAUSE_BETWEEN_ATTEMPTS_SECONDS", 0.01)
    busy, migrating = [await asyncpg.connect(empty_database_url) for _ in range(2)]
    write(scripts, "0001_loans.sql", "create table loans (id int);")
    await migrate(migrating)
    write(scripts, "0002_more.sql", "alter table loans add column amount numeric;")
    transaction = busy.transaction()
    await transaction.start()
    await busy.execute("insert into loans values (1)")
    monkeypatch.setattr(worker.migrations, "LOCK_ATTEMPTS", 2)
    with pytest.raises(DatabaseUnavailable, match="waited five minutes for its locks"):
        await migrate(migrating)
    monkeypatch.setattr(worker.migrations, "LOCK_ATTEMPTS", 1_000)
    waiting = asyncio.create_task(migrate(migrating))
    await transaction.commit()
    assert [migration.name for migration in await waiting] == ["more"]
    for connection in (busy, migrating):
        await connection.close()
