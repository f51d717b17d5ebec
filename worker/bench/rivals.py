"""Posters to compare with, without the product's guarantees: one statement for each, and one batch for all who wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from worker.bench import bare, bare_store
from worker.bench.workload import Disbursement
from worker.database import Connection, Database
from worker.errors import Bug

POSTINGS_PER_BATCH: Final = 256
"""As many as the product takes."""


class OneStatement:
    """Posts each transaction by a statement and a commit of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(self, disbursement: Disbursement) -> None:
        """Post it; returns when it is durable."""
        async with self._database.connection() as connection:
            await bare_store.post_alone(connection, disbursement, datetime.now(UTC))


class Coalescing:
    """Posts what waits as one batch: locks the balances, decides here, writes with one statement."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Disbursement, asyncio.Future[None]]] = deque()
        self._wake = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database) -> AsyncIterator[Coalescing]:
        """One that posts until the block ends."""
        poster = cls()
        async with database.connection() as connection:
            posting = asyncio.create_task(poster._run(connection))
            try:
                yield poster
            finally:
                posting.cancel()
                await asyncio.wait([posting])

    async def post(self, disbursement: Disbursement) -> None:
        """Post it; returns when it is durable."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((disbursement, answer))
        self._wake.set()
        await answer

    async def _run(self, connection: Connection) -> None:
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), POSTINGS_PER_BATCH))]
            try:
                await self._post(connection, batch)
            except Exception as error:  # noqa: BLE001 whoever waits is told, and ends the measurement
                for _, answer in batch:
                    answer.set_exception(error)

    async def _post(self, connection: Connection, batch: list[tuple[Disbursement, asyncio.Future[None]]]) -> None:
        disbursements = [disbursement for disbursement, _ in batch]
        async with connection.transaction():
            touched = {account for one in disbursements for account in one.accounts}
            balances = await bare_store.lock_balances(connection, touched)
            known = await bare_store.known(connection, [one.external_id for one in disbursements])
            decided = bare.decide(disbursements, balances, known)
            await bare_store.write(connection, decided, datetime.now(UTC))
        if not all(decided.accepted):
            raise Bug("a measured posting was refused")
        for _, answer in batch:
            answer.set_result(None)
