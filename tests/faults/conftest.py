"""Stacks that faults are tried on. Whatever a test does to its services, their logs must stay silent about secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import copied_database
from tests.faults.discretion import assert_discreet
from tests.flow.stack import Stack, open_stack

SWIFT = 200
"""Time scale of stories that wait for minutes: one takes a third of a second."""


@asynccontextmanager
async def watched_stack(database_url: str, directory: Path, **options: Any) -> AsyncIterator[Stack]:
    """A stack whose services' logs are read at its end."""
    async with open_stack(database_url, directory, **options) as stack:
        yield stack
    assert_discreet(directory)


@pytest.fixture
async def bare(database_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """A simulator with quota to spare, and no service yet."""
    options = ["--daily-quota=1000000"]
    async with watched_stack(database_url, tmp_path, serve=False, simulator_options=options) as stack:
        yield stack


@pytest.fixture
async def hurried(database_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """A simulator for which time flies, with quota to spare, and no service yet."""
    options = ["--daily-quota=1000000", "--requests-per-minute=1000000"]
    async with watched_stack(database_url, tmp_path, speed=SWIFT, serve=False, simulator_options=options) as stack:
        minutes = asyncio.create_task(minutes_pass(stack))
        yield stack
        minutes.cancel()


async def minutes_pass(stack: Stack) -> None:
    """Let the minutes that requests are counted by fly as well: every service counts them by the database's clock."""
    async with stack.connection() as connection:
        while True:
            await connection.execute("delete from codat_request_slices")
            await asyncio.sleep(60 / SWIFT)


@pytest.fixture(scope="module")
async def swift(
    server_url: str, template: str, database_numbers: Iterator[int], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A simulator and a service for which time flies; every test starts a world of its own."""
    options = ["--daily-quota=1000000"]
    directory = tmp_path_factory.mktemp("swift")
    async with (
        copied_database(server_url, template, next(database_numbers)) as url,
        watched_stack(url, directory, speed=SWIFT, simulator_options=options) as stack,
    ):
        yield stack
