"""Stacks that faults are tried on: a database and a simulator of their own, and services as each test wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.flow.stack import Stack, open_stack

OpenStack: TypeAlias = Callable[..., AbstractAsyncContextManager[Stack]]


@pytest.fixture
async def bare(database_url: str, tmp_path: Path) -> AsyncIterator[Stack]:
    """A simulator with quota to spare, and no service yet."""
    async with open_stack(database_url, tmp_path, serve=False, simulator_options=["--daily-quota=1000000"]) as stack:
        yield stack
