"""Where measurements happen: a database of their own, dropped afterwards, on the configured or a throwaway server."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from worker.bench import scratch_store
from worker.database import Database
from worker.embedded import embedded
from worker.migrations import migrate

SERVER_SETTINGS: Final = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}
"""What any server of a ledger would be given. Commits stay as durable as ever: fsync and all that is left alone."""


@asynccontextmanager
async def scratch_server(database_url: str | None) -> AsyncIterator[str]:
    """The URL of the configured server, or of one in a temporary directory when none is configured."""
    if database_url is not None:
        yield database_url
        return
    directory = Path(tempfile.mkdtemp(prefix="writeback-bench-"))
    try:
        async with embedded(directory) as url, Database.open(url) as database, database.connection() as connection:
            await scratch_store.configure(connection, SERVER_SETTINGS)
        async with embedded(directory) as url:  # started again, with the settings
            yield url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def scratch_database(server_url: str, purpose: str) -> AsyncIterator[str]:
    """The URL of a fresh database with the product's schema, dropped in the end.

    Raises :class:`~worker.errors.UsageError` when the configured role may not create one.
    """
    name = f"writeback_bench_{purpose}_{os.getpid()}"
    async with Database.open(server_url) as server:
        async with server.connection() as connection:
            await scratch_store.create_database(connection, name)
        try:
            url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
            async with Database.open(url) as database, database.connection() as connection:
                await migrate(connection)
            yield url
        finally:
            async with server.connection() as connection:
                await scratch_store.drop_database(connection, name)
