"""Stations of every platform, each with a simulator and a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.simulator.client import serve_simulator
from tests.writeback.station import Station
from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.database import Database
from worker.simulator import Span

INSTANT = Span(timedelta(milliseconds=100), timedelta(milliseconds=200))
Open = Callable[..., Awaitable[Station]]


@pytest.fixture
async def open_station(database: Database) -> AsyncIterator[Open]:
    """Opens a station for the preset company of a platform."""
    async with AsyncExitStack() as stack:

        async def opened(platform: str = "Xero", **options: Any) -> Station:
            url = await serve_simulator(stack, INSTANT, **options)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            gate = await stack.enter_async_context(Gate.open(database))
            async with session.get(f"{url}/_simulator/world") as response:
                world = await response.json()
            company = next(c for c in world["companies"] if c["connections"][0]["platform"].startswith(platform))
            return Station(database, session, url, CodatClient(session, url, "key", gate), company)

        yield opened


@pytest.fixture
async def station(open_station: Open) -> Station:
    """A company on Xero, mapped to its own accounts in the ``matched`` profile."""
    station = await open_station()
    await station.map()
    return station
