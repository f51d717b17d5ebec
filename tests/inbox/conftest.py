"""The receive station on loopback: a real HTTP server, a real database, and a sender that can misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.inbox.station import Station, running_station
from worker.database import Database


@pytest.fixture
async def station(database: Database) -> AsyncIterator[Station]:
    """A running station with the secrets of :mod:`tests.inbox.station`."""
    async with running_station(database) as station:
        yield station
