"""A client of Codat whose gate stands in a database of its own, and mocked replies for the statuses nobody sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock, patch
from uuid import UUID

import aiohttp
import aioresponses.core
import pytest
from aioresponses import aioresponses as mocked

from worker.codat.client import CodatClient
from worker.codat.gate import Gate
from worker.database import Database

BASE_URL = "https://codat.test"
API_KEY = "a-secret-key"
COMPANY = UUID("8a210b68-6988-11ed-a1eb-0242ac120002")
CONNECTION = UUID("2e9d2c44-f675-40ba-8049-353bfcb5e171")
KEY = UUID("11111111-2222-4333-8444-555555555555")
P = f"{BASE_URL}/companies/{COMPANY}/connections/{CONNECTION}"
C = f"{BASE_URL}/companies/{COMPANY}"


class ResponseForOldMock(aiohttp.ClientResponse):
    """aiohttp 3.14 wants a stream writer that aioresponses 0.7.9 does not pass."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


@contextmanager
def mocked_replies() -> Iterator[mocked]:
    """Replies to be given instead of the real ones, whoever is asked."""
    with patch.object(aioresponses.core, "ClientResponse", ResponseForOldMock), mocked() as replies:
        yield replies


@pytest.fixture
def codat() -> Iterator[mocked]:
    """Replies to be given instead of Codat's."""
    with mocked_replies() as replies:
        yield replies


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[Gate]:
    """A gate with Codat's own limits."""
    async with Gate.open(database) as gate:
        yield gate


@pytest.fixture
async def client(gate: Gate) -> AsyncIterator[CodatClient]:
    """A client of the mocked Codat."""
    async with aiohttp.ClientSession() as session:
        yield CodatClient(session, BASE_URL, API_KEY, gate)
