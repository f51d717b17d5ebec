"""Measurements happen on databases of their own, and the server's processor time is found where it can be seen."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from worker.bench import scratch_store
from worker.bench.processes import Meter
from worker.bench.scratch import scratch_database
from worker.database import Database
from worker.errors import UsageError
from worker.migrations import pending


def can_be_seen(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}/stat").exists()


async def databases(connection: asyncpg.Connection[asyncpg.Record]) -> set[str]:
    return {row[0] for row in await connection.fetch("select datname from pg_database")}


async def test_a_scratch_database_has_the_schema_and_is_dropped_even_after_a_failure(server_url: str) -> None:
    server = await asyncpg.connect(server_url)
    before = await databases(server)
    with pytest.raises(RuntimeError, match="measurement"):
        async with scratch_database(server_url, "test") as url:
            async with Database.open(url) as database, database.connection() as connection:
                assert await pending(connection) == []
            raise RuntimeError("the measurement fails")
    assert await databases(server) == before
    await server.close()


async def test_a_role_that_may_not_create_a_database_is_told_so(server_url: str) -> None:
    server = await asyncpg.connect(server_url)
    await server.execute("create role bench_guest login password 'guest'")
    try:
        host = urlsplit(server_url).netloc.rpartition("@")[2]
        url = urlunsplit(urlsplit(server_url)._replace(netloc=f"bench_guest:guest@{host}"))
        with pytest.raises(UsageError, match="grant it CREATEDB"):
            async with scratch_database(url, "guest"):
                pass
    finally:
        await server.execute("drop role bench_guest")
        await server.close()


async def test_the_servers_processor_time_grows_where_it_can_be_seen(database: Database) -> None:
    async with database.connection() as connection:
        pid, version = await scratch_store.server_of(connection)
        assert version
        meter = Meter(pid)
        before = meter.server()
        await connection.execute("select sum(n) from generate_series(1, 1000000) as n")
        after = meter.server()
    assert (before is not None and after is not None and after > before) is can_be_seen(pid)


def test_the_processor_time_of_a_server_elsewhere_is_not_told() -> None:
    assert Meter(None).server() is None


def test_a_process_that_is_no_server_is_not_taken_for_one() -> None:
    assert Meter(1).server() is None
