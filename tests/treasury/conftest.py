"""A delivery handler on a database of its own, mocked replies for what the real API would have to be forced to, and the
real thing: a service, and the ledger in another process that it posts to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aioresponses import aioresponses as mocked

from tests.codat.conftest import mocked_replies
from tests.conftest import copied_database
from tests.flow.stack import Stack
from tests.treasury.outbox import Outbox, open_outbox
from tests.treasury.stage import Remote, open_lender, open_remote
from worker.database import Database


@pytest.fixture
def treasury() -> Iterator[mocked]:
    """Replies to be given instead of Modern Treasury's."""
    with mocked_replies() as replies:
        yield replies


@pytest.fixture
async def outbox(database: Database) -> AsyncIterator[Outbox]:
    """An outbox to a ledger whose accounts are known."""
    async with aiohttp.ClientSession() as session:
        yield await open_outbox(database, session)


@pytest.fixture
async def remote(
    server_url: str, template: str, database_numbers: Iterator[int], tmp_path: Path
) -> AsyncIterator[Remote]:
    """The ledger elsewhere."""
    async with (
        copied_database(server_url, template, next(database_numbers)) as url,
        open_remote(url, tmp_path) as remote,
    ):
        yield remote


@pytest.fixture
async def lender(database_url: str, tmp_path: Path, remote: Remote) -> AsyncIterator[Stack]:
    """Who posts there."""
    async with open_lender(database_url, tmp_path, remote) as stack:
        yield stack
