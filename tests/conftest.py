"""What every test may ask for: a database of its own, migrated, on a real PostgreSQL.

The server is a throwaway one from the wheel. Set ``WRITEBACK_TEST_DATABASE_URL`` to a superuser's URL to run the same
tests against another server.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import structlog

from worker.database import Database
from worker.embedded import embedded
from worker.migrations import migrate

FORGETFUL_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")
"""Turned off: a throwaway server may forget everything in a power cut."""

TEMPLATE = f"writeback_test_{os.getpid()}"
"""The migrated database that every test's own is copied from."""


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """What is logged names no values of variables: printing those of one failure takes seconds, in the event loop."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets, and outside pytest's private tree."""
    directory = Path(tempfile.mkdtemp(prefix="writeback-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
async def server_url(short_directory: Path) -> AsyncIterator[str]:
    """A superuser's URL on the server the tests use."""
    if given := os.environ.get("WRITEBACK_TEST_DATABASE_URL"):
        yield given
        return
    async with embedded(short_directory / "data") as url:
        admin = await asyncpg.connect(url)
        for setting in FORGETFUL_SETTINGS:
            await admin.execute(f"alter system set {setting} = off")
        await admin.execute("select pg_reload_conf()")
        await admin.close()
        yield url


@pytest.fixture(scope="session")
async def template(server_url: str) -> AsyncIterator[str]:
    """Name of a migrated database that is copied, never used."""
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"create database {TEMPLATE}")
    connection = await asyncpg.connect(on_database(server_url, TEMPLATE))
    await migrate(connection)
    await connection.close()
    yield TEMPLATE
    await admin.execute(f"drop database {TEMPLATE} with (force)")
    await admin.close()


@pytest.fixture(scope="session")
def database_numbers() -> Iterator[int]:
    """Numbers that make the names of the tests' databases unique."""
    return count(1)


@pytest.fixture
async def empty_database_url(server_url: str, database_numbers: Iterator[int]) -> AsyncIterator[str]:
    """URL of a database without any schema."""
    async with copied_database(server_url, "template0", next(database_numbers)) as url:
        yield url


@pytest.fixture
async def database_url(server_url: str, template: str, database_numbers: Iterator[int]) -> AsyncIterator[str]:
    """URL of a fresh, migrated database."""
    async with copied_database(server_url, template, next(database_numbers)) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a fresh, migrated database."""
    async with Database.open(database_url, application_name="test") as database:
        yield database


@asynccontextmanager
async def copied_database(server_url: str, template: str, number: int) -> AsyncIterator[str]:
    """Copy a database for one test and drop it afterwards."""
    name = f"{TEMPLATE}_{number}"
    admin = await asyncpg.connect(server_url)
    try:
        await admin.execute(f"create database {name} template {template} strategy file_copy")
        yield on_database(server_url, name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


def on_database(server_url: str, name: str) -> str:
    """The same server's URL with another database."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
