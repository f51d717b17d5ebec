"""Alive, ready, metrics: over real HTTP, with a real database that is there, behind, or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from worker.database import Database, PoolLimits
from worker.health import Health
from worker.metrics import Depths, Metrics

PATHS = ("/readyz", "/healthz")


async def read_no_depths(database: Database) -> Depths:
    async with database.connection() as connection:
        return Depths(push_pending=await connection.fetchval("select 3"))


@asynccontextmanager
async def health_of(database: Database, *, draining: bool = False) -> AsyncIterator[tuple[ClientSession, str]]:
    app = web.Application()
    stopping = asyncio.Event()
    if draining:
        stopping.set()
    Health(database, Metrics("1.2.3"), stopping, read_no_depths).add_routes(app)
    async with TestServer(app) as server, ClientSession() as session:
        yield session, str(server.make_url("")).rstrip("/")


@pytest.fixture
async def absent_database() -> AsyncIterator[Database]:
    limits = PoolLimits(acquire_timeout_seconds=0.5)
    async with Database.open("postgresql://nobody@127.0.0.1:1/nothing", limits=limits) as database:
        yield database


@pytest.mark.parametrize("path", PATHS)
async def test_a_current_schema_is_ready(database: Database, path: str) -> None:
    async with health_of(database) as (session, url), session.get(url + path) as response:
        assert response.status == 200
        assert await response.json() == {"status": "ready", "reasons": []}


@pytest.mark.parametrize("path", PATHS)
async def test_an_absent_database_is_not_ready_but_alive(absent_database: Database, path: str) -> None:
    async with health_of(absent_database) as (session, url):
        async with session.get(url + path) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "5"
            assert await response.json() == {"status": "unavailable", "reasons": ["database: cannot be reached"]}
        async with session.get(url + "/livez") as response:
            assert (response.status, await response.json()) == (200, {"status": "alive"})


async def test_a_draining_process_is_not_ready(database: Database) -> None:
    async with health_of(database, draining=True) as (session, url), session.get(url + "/readyz") as response:
        assert response.status == 503
        assert (await response.json())["reasons"] == ["draining: the process was told to stop"]


async def test_a_schema_that_is_behind_is_not_ready_and_names_the_missing_files(empty_database_url: str) -> None:
    async with (
        Database.open(empty_database_url) as database,
        health_of(database) as (session, url),
        session.get(url + "/readyz") as response,
    ):
        assert response.status == 503
        (reason,) = (await response.json())["reasons"]
        assert reason.startswith("schema: run `writeback migrate` to apply 0001_")


async def test_a_schema_that_is_ahead_is_not_ready(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into schema_migrations values (9000, 'future', 'x')")
    async with health_of(database) as (session, url), session.get(url + "/readyz") as response:
        assert response.status == 503
        (reason,) = (await response.json())["reasons"]
        assert "9000_future.sql, which this version of the program does not know" in reason


async def test_metrics_are_prometheus_text_with_what_the_database_says(database: Database) -> None:
    async with health_of(database) as (session, url), session.get(url + "/metrics") as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await response.text()
    assert "writeback_push_pending 3.0" in text
    assert 'writeback_build_info{version="1.2.3"} 1.0' in text
    assert "writeback_database_up 1.0" in text


async def test_metrics_are_there_without_a_database(absent_database: Database) -> None:
    async with health_of(absent_database) as (session, url), session.get(url + "/metrics") as response:
        assert response.status == 200
        assert "writeback_database_up 0.0" in await response.text()
