"""The document as the running application has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from worker.app import Replica, Role, now
from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.config import load_settings
from worker.database import Database
from worker.loans.postings import Postings
from worker.loans.rulebook_file import read_rulebook
from worker.metrics import Metrics
from worker.writeback.desk import Desk
from worker.writeback.timings import Timings


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What is open for the length of a test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture(params=list(Role))
def role(request: pytest.FixtureRequest) -> Role:
    """Every role a replica may have."""
    return Role(request.param)


@pytest.fixture
async def app(database: Database, role: Role, stack: AsyncExitStack, tmp_path: Path) -> web.Application:
    """The application that a replica of that role serves."""
    settings = load_settings({"WRITEBACK_DATA_DIR": str(tmp_path), "LEDGER_API_KEYS": "lender:key"}, at_terminal=False)
    gate = await stack.enter_async_context(Gate.open(database))
    session = await stack.enter_async_context(aiohttp.ClientSession())
    desk = Desk(database, CodatClient(session, settings.codat_base_url, "test-only", gate), now, Timings())
    replica = Replica(settings, role, Postings(read_rulebook(None)), desk, gate, Metrics("test"))
    return replica.application(asyncio.Event())


@pytest.fixture
async def document(app: web.Application, stack: AsyncExitStack) -> dict[str, Any]:
    """What that application says about itself to anybody."""
    client = await stack.enter_async_context(TestClient(TestServer(app)))
    response = await client.get("/openapi.json")
    assert response.status == 200
    assert response.content_type == "application/json"
    found: dict[str, Any] = await response.json()
    return found
