"""The pool: its types and limits, and PostgreSQL going away and coming back."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from tests.foundation.proxy import Proxy
from tests.foundation.servers import running_server
from worker.database import Connection, Database, PoolLimits, query, require_supported_version
from worker.errors import DatabaseUnavailable, UsageError
from worker.postgres import PostgresServer, until

IMPATIENT = PoolLimits(max_connections=3, acquire_timeout_seconds=0.5, command_timeout_seconds=1.0)


@pytest.fixture
async def server() -> AsyncIterator[PostgresServer]:
    async with running_server() as server:
        yield server


async def works(database: Database) -> bool:
    try:
        async with database.transaction() as connection:
            return bool(await connection.fetchval("select true"))
    except DatabaseUnavailable:
        return False


async def comes_back(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            if await works(database):
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("amount", [0, -1, 10**35, -(10**36) + 1])
async def test_numeric_columns_hold_whole_minor_units_exactly(database: Database, amount: int) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("select $1::numeric", amount) == amount
        assert await connection.fetchval("select $1::numeric[]", [amount, None]) == [amount, None]
        assert type(await connection.fetchval("select sum(x) from unnest($1::numeric[]) x", [amount])) is int


@pytest.mark.parametrize("amount", [1.5, Decimal("1.5"), Decimal(1), "1"])
async def test_anything_but_a_whole_number_is_refused_for_a_numeric_column(database: Database, amount: object) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("select $1::numeric", amount)


async def test_json_is_its_raw_text_and_uuids_are_uuids(database: Database) -> None:
    key = uuid.UUID(int=7)
    async with database.connection() as connection:
        assert await connection.fetchval("select $1::jsonb", '{"share": 0.10}') == '{"share": 0.10}'
        assert await connection.fetchval("select $1::uuid", key) == key


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("create table drawdowns (id int)")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("insert into drawdowns values (1)")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from drawdowns") == 0


async def test_every_session_has_its_time_limits_and_name(database: Database) -> None:
    names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name", "timezone"]
    async with database.connection() as connection:
        values = [await connection.fetchval("select current_setting($1)", name) for name in names]
    assert values == ["15s", "5s", "20s", "test", "UTC"]


async def test_a_statement_that_takes_too_long_is_not_mistaken_for_an_absent_database(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("set statement_timeout = 10")
    with pytest.raises(asyncpg.QueryCanceledError):
        async with database.transaction() as connection:
            await connection.execute("set local statement_timeout = 10")
            await connection.execute("select pg_sleep(10)")
    assert await works(database)


async def test_a_statement_that_is_wrong_is_not_mistaken_for_an_absent_database(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.connection() as connection:
            await connection.execute("select * from nowhere")
    with pytest.raises(asyncpg.InterfaceError, match="another operation"):
        async with database.connection() as connection:
            await asyncio.gather(*(connection.execute("select pg_sleep(0.1)") for _ in range(2)))


async def test_a_server_that_is_not_there_is_unavailable_and_opening_the_pool_does_not_need_it() -> None:
    async with Database.open("postgresql://nobody@127.0.0.1:1/nothing", limits=IMPATIENT) as database:
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            async with database.connection():
                pytest.fail("there is no server")


async def test_a_killed_server_is_unavailable_and_the_pool_recovers_after_its_restart(server: PostgresServer) -> None:
    async with Database.open(server.url(), limits=IMPATIENT) as database:
        with pytest.raises(DatabaseUnavailable):
            async with database.transaction() as connection:
                server.kill()
                await connection.fetchval("select 1")
        assert not await works(database)
        await server.start()
        await comes_back(database)


async def test_an_orderly_shutdown_is_unavailable_and_the_pool_recovers(server: PostgresServer) -> None:
    async with Database.open(server.url(), limits=IMPATIENT) as database:
        async with asyncio.TaskGroup() as group:
            group.create_task(_sleep_in_the_database(database))
            await until(lambda: database.connections_in_use > 0)
            await server.stop()
        await server.start()
        await comes_back(database)


async def test_a_server_whose_files_are_gone_is_unavailable(server: PostgresServer) -> None:
    async with Database.open(server.url(), limits=IMPATIENT) as database:
        async with database.connection() as connection:
            await connection.execute("create table drawdowns (id int)")
            file = await connection.fetchval("select pg_relation_filepath('drawdowns')")
        (server.data_dir / file).unlink()
    async with Database.open(server.url(), limits=IMPATIENT) as database:
        with pytest.raises(DatabaseUnavailable, match="UndefinedFile"):
            async with database.connection() as connection:
                await connection.fetchval("select count(*) from drawdowns")


async def _sleep_in_the_database(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as connection:
            await connection.execute("select pg_sleep(60)")


async def test_a_network_that_swallows_everything_is_given_up_on_and_no_session_is_left(server: PostgresServer) -> None:
    async with Proxy(server.listen.port) as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
        async with Database.open(url, limits=IMPATIENT) as database:
            assert await works(database)
            proxy.freeze()
            async with asyncio.timeout(10):
                assert not await works(database)
            proxy.thaw()
            await comes_back(database)
            assert database.connections_in_use == 0


async def test_a_connection_cut_at_its_commit_is_unavailable_whatever_became_of_it(server: PostgresServer) -> None:
    async with Proxy(server.listen.port) as proxy:
        url = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
        async with Database.open(url, limits=IMPATIENT) as database:
            with pytest.raises(DatabaseUnavailable):
                async with database.transaction() as connection:
                    await connection.execute("select 1")
                    proxy.cut_after(b"COMMIT")
            await comes_back(database)


async def test_an_exhausted_pool_is_unavailable_until_a_connection_is_free(database_url: str) -> None:
    async with Database.open(database_url, limits=IMPATIENT) as database:
        async with database.connection(), database.connection(), database.connection():
            assert not await works(database)
        assert await works(database)


async def test_a_cancelled_caller_leaves_no_connection_and_no_transaction_behind(database_url: str) -> None:
    chance = random.Random(20)
    async with Database.open(database_url, limits=PoolLimits(max_connections=4)) as database:
        for _ in range(100):
            tasks = [asyncio.create_task(works(database)) for _ in range(8)]
            for task in tasks:
                asyncio.get_running_loop().call_later(chance.random() / 200, task.cancel)
            await asyncio.wait(tasks)
        assert database.connections_in_use == 0
        async with database.connection() as connection:
            stuck = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'"
            assert await connection.fetchval(stuck) == 0


async def test_an_old_postgresql_is_refused_by_name() -> None:
    version = SimpleNamespace(major=14, minor=9)
    connection = cast(Connection, SimpleNamespace(get_server_version=lambda: version))
    with pytest.raises(UsageError, match=r"PostgreSQL 14\.9 is too old: .*PostgreSQL 15 or newer"):
        await require_supported_version(connection)


def test_a_query_that_does_not_exist_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"jobs/no_such_query\.sql"):
        query("jobs/no_such_query")
