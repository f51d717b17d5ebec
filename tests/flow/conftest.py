"""A simulator and a service as separate processes, shared by a module's tests; every test has its own borrower."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import copied_database
from tests.flow.stack import Stack, open_stack


@pytest.fixture(scope="module")
async def stack(
    server_url: str, template: str, database_numbers: Iterator[int], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """The product on a database of its own."""
    directory: Path = tmp_path_factory.mktemp("stack")
    async with (
        copied_database(server_url, template, next(database_numbers)) as url,
        open_stack(url, directory) as stack,
    ):
        yield stack
