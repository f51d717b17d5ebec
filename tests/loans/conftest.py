"""The loans station on a real database."""

from __future__ import annotations

import pytest

from tests.loans.station import Station
from worker.database import Database


@pytest.fixture
async def station(database: Database) -> Station:
    """A station whose books are empty."""
    return await Station.open(database)
