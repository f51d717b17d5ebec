"""A simulator on a loopback port, with its clock in the tests' hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.simulator.client import INSTANT, Client, Inbox, Open, Start, serve_simulator


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a simulator and returns its address."""
    async with AsyncExitStack() as stack:

        async def started(**options: Any) -> str:
            return await serve_simulator(stack, INSTANT, **options)

        yield started


@pytest.fixture
async def open_company(start: Start) -> AsyncIterator[Open]:
    """A client of the preset company on a platform, of a fresh simulator."""
    async with aiohttp.ClientSession() as session:

        async def opened(platform: str = "Sandbox", **options: Any) -> Client:
            client = Client({}, session, await start(**options))
            world = await client.get("/_simulator/world")
            client.company = next(c for c in world["companies"] if c["connections"][0]["platform"].startswith(platform))
            return client

        yield opened


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """A webhook receiver."""
    inbox = Inbox("", [], [])

    async def receive(request: web.Request) -> web.Response:
        inbox.received.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        return web.Response(status=inbox.answers.pop(0) if inbox.answers else 200)

    app = web.Application()
    app.router.add_post("/hook", receive)
    async with TestServer(app) as server:
        inbox.url = str(server.make_url("/hook"))
        yield inbox
