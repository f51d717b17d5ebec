"""The ledger's API on a real socket, and the official client to call it with."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from modern_treasury import AsyncModernTreasury
from modern_treasury.types import Ledger, LedgerAccount

from tests.api.lendnow import LendNow
from worker.api.effects import Effects
from worker.api.kept_answers import KeptAnswers, Reply, Ticket
from worker.api.routes import add_routes
from worker.config import LedgerApiKey
from worker.database import Database
from worker.ledger.group_poster import GroupPoster
from worker.problems import problem_middleware

KEY = LedgerApiKey("the-lender", "a-key-of-the-tests")
OTHER_KEY = LedgerApiKey("the-lender", "another-key-of-the-tests")

MISSING = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""


@dataclass
class Raw:
    """Calls the API as plain HTTP, for what the official client would not send."""

    session: aiohttp.ClientSession
    url: str

    async def call(
        self, method: str, path: str, key: LedgerApiKey = KEY, **sent: Any
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Status, decoded body and the response itself."""
        basic = base64.b64encode(f"{key.organization_id}:{key.api_key}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", **(sent.pop("headers", None) or {})}
        async with self.session.request(method, self.url + path, headers=headers, **sent) as response:
            return response.status, await response.json(content_type=None), response

    async def error(self, method: str, path: str, **sent: Any) -> tuple[int, str, str | None]:
        """Status, code and parameter of a call that must be refused, in the one shape of errors."""
        status, body, _ = await self.call(method, path, **sent)
        assert status >= 400, body
        assert set(body) == {"errors"}
        assert {"code", "message"} <= set(body["errors"]) <= {"code", "message", "parameter"}
        return status, body["errors"]["code"], body["errors"].get("parameter")


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[str]:
    """The routes over a database, and where they are."""
    app = web.Application(middlewares=[problem_middleware])
    poster: GroupPoster[Ticket, Reply] = GroupPoster(database, KeptAnswers())
    add_routes(app, database, Effects(database, poster.submit), (KEY, OTHER_KEY))
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")
    await poster.close()


@pytest.fixture
async def url(database: Database) -> AsyncIterator[str]:
    """The routes over a fresh database."""
    async with serving(database) as url:
        yield url


@pytest.fixture
async def raw(url: str) -> AsyncIterator[Raw]:
    """Plain HTTP."""
    async with aiohttp.ClientSession() as session:
        yield Raw(session, url)


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncModernTreasury]:
    """The official client, refusing whatever is not in its own schema."""
    async with AsyncModernTreasury(
        organization_id=KEY.organization_id,
        api_key=KEY.api_key,
        base_url=url,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.fixture
async def ledger(client: AsyncModernTreasury) -> Ledger:
    """Empty books."""
    return await client.ledgers.create(name="LendNow")


@pytest.fixture
async def lender(client: AsyncModernTreasury) -> LendNow:
    """The tutorial's chart of accounts."""
    return await LendNow.open(client)


async def open_account(client: AsyncModernTreasury, ledger: Ledger, name: str, **given: Any) -> LedgerAccount:
    """An account in dollars on the debit side, unless said otherwise."""
    about = {"currency": "USD", "normal_balance": "debit", **given}
    return await client.ledger_accounts.create(name=name, ledger_id=ledger.id, **about)
