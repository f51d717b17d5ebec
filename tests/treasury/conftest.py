"""A delivery handler on a database of its own, and mocked replies for what the real API would have to be forced to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import aioresponses.core
import pytest
from aioresponses import aioresponses as mocked

from tests.codat.conftest import ResponseForOldMock
from tests.treasury.outbox import Outbox, open_outbox
from worker.database import Database


@pytest.fixture
def treasury(monkeypatch: pytest.MonkeyPatch) -> Iterator[mocked]:
    """Replies to be given instead of Modern Treasury's."""
    monkeypatch.setattr(aioresponses.core, "ClientResponse", ResponseForOldMock)
    with mocked() as replies:
        yield replies


@pytest.fixture
async def outbox(database: Database) -> AsyncIterator[Outbox]:
    """An outbox to a ledger whose accounts are known."""
    async with aiohttp.ClientSession() as session:
        yield await open_outbox(database, session)
