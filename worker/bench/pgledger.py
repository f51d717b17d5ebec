"""pgledger as it is measured: the user's own copy, with connections of its own and in the state of a busy server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from worker.bench import pgledger_store
from worker.bench.draw import Draw
from worker.bench.pgledger_store import Script
from worker.bench.workload import Disbursement
from worker.database import Database, PoolLimits
from worker.errors import UsageError

MAX_CONNECTIONS: Final = 32
"""As many as its aims were set with. Fewer can suit it better: with eight, fewer calls wait inside the server for the
same three rows, and on two cores it posts about a third more."""

WARM_UP_POSTS: Final = 10
"""Posted by each connection before it is measured: the server decides on a plan to keep by the sixth use."""


def read_scripts(paths: Sequence[Path]) -> tuple[Script, ...]:
    """The files of a copy of pgledger; raises :class:`~worker.errors.UsageError` naming one that cannot be read."""
    return tuple(Script(path, _read(path)) for path in paths)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--pgledger names {path}, which cannot be read: {error.strerror}; name a file of your copy of pgledger"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"--pgledger names {path}, which is not UTF-8 text: name an SQL file of your copy of pgledger"
        ) from error


async def load(database: Database, scripts: Sequence[Script]) -> list[str]:
    """Create pgledger and its accounts in a scratch database, and try it; returns the accounts' ids.

    Raises :class:`~worker.errors.UsageError` naming what of the files does not work.
    """
    async with database.session() as connection:  # what the files set or leave open ends with it
        for script in scripts:
            await pgledger_store.run_script(connection, script)
    async with database.connection() as connection:
        await pgledger_store.require_functions(connection, scripts)
        accounts = await pgledger_store.create_accounts(connection)
        await pgledger_store.try_transfers(connection, accounts, Draw("pgledger").hot())
    return accounts


class Pgledger:
    """Posts each disbursement by one call of pgledger's function."""

    def __init__(self, database: Database, accounts: Sequence[str]) -> None:
        self._database = database
        self._accounts = accounts

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, accounts: Sequence[str], callers: int) -> AsyncIterator[Pgledger]:
        """One with as many connections as its callers can use, all of them warm."""
        connections = min(callers, MAX_CONNECTIONS)
        async with Database.open(url, limits=PoolLimits(max_connections=connections)) as database:
            rival = cls(database, accounts)
            draw = Draw("pgledger")
            # All ask before any can be done, so each gets a connection of its own.
            await asyncio.gather(*(rival._warm_up(draw) for _ in range(connections)))
            yield rival

    async def post(self, disbursement: Disbursement) -> None:
        """Post it; returns when it is durable."""
        async with self._database.connection() as connection:
            await pgledger_store.create_transfers(connection, self._accounts, disbursement)

    async def _warm_up(self, draw: Draw) -> None:
        async with self._database.connection() as connection:
            for _ in range(WARM_UP_POSTS):
                await pgledger_store.create_transfers(connection, self._accounts, draw.hot())
