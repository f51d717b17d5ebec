"""Measures posting: every variant on tables of its own, in a scratch database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, assert_never

from worker.bench import bare_store, pgledger, scratch_store
from worker.bench.cases import Case, Variant, filling
from worker.bench.draw import Draw
from worker.bench.figures import Figures
from worker.bench.load import Load, Post, press
from worker.bench.pgbench import run_pgbench
from worker.bench.pgledger import Pgledger
from worker.bench.pgledger_store import Script
from worker.bench.processes import Meter
from worker.bench.product import Books, Product, open_books
from worker.bench.rivals import Coalescing, OneStatement
from worker.bench.workload import Disbursement
from worker.database import Database
from worker.ledger.group_poster import GroupPoster

SAME_ROWS: Final = "bench/insert_same"
NARROW_ROWS: Final = "bench/insert_narrow"
"""What pgbench runs."""

FILL_SECONDS: Final = 1.0
"""How long each variant posts before anything is measured: more rows than any plan would rather read one by one."""


class Ring:
    """A scratch database in which every variant can post."""

    def __init__(self, url: str, database: Database, books: Books, server: tuple[int | None, str]) -> None:
        self.database = database
        self.books = books
        self._url = url
        self._pgledger_accounts: Sequence[str] = ()
        pid, self.server_version = server
        self._meter = Meter(pid)
        self._draw = Draw("disbursement")

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Ring]:
        """Fill the scratch database with what every variant needs."""
        async with Database.open(url) as database:
            books = await open_books(database)
            async with database.connection() as connection:
                await bare_store.create_rivals(connection)
                await scratch_store.settle(connection)
                server = await scratch_store.server_of(connection)
            yield cls(url, database, books, server)

    async def load_pgledger(self, scripts: Sequence[Script]) -> None:
        """Let pgledger post here too; raises :class:`~worker.errors.UsageError` when the files do not make one."""
        self._pgledger_accounts = await pgledger.load(self.database, scripts)

    async def fill(self, cases: Sequence[Case], pgbench: Path) -> None:
        """Have every variant post for a moment, and then the planner look at all tables.

        A plan that a session made and kept while a table was empty reads the whole table ever after, until the server
        happens to look at that table: whoever looks up its own rows would be measured at its worst, for a while.
        """
        for case in filling(cases):
            await self.measure(case, FILL_SECONDS, pgbench)
        async with self.database.connection() as connection:
            await scratch_store.settle(connection)

    async def measure(self, case: Case, seconds: float, pgbench: Path) -> Figures:
        """One case, once."""
        load = Load(case.callers, seconds)
        match case.variant:
            case Variant.PGBENCH_SAME:
                return await run_pgbench(pgbench, self._url, SAME_ROWS, load, self._meter)
            case Variant.PGBENCH_NARROW:
                return await run_pgbench(pgbench, self._url, NARROW_ROWS, load, self._meter)
            case Variant.PRODUCT | Variant.EMPTY | Variant.AGED:
                return await self._press_product(self._draw.hot, load)
            case Variant.SPREAD:
                return await self._press_product(self._draw.spread, load)
            case Variant.BARE:
                async with Coalescing.open(self.database) as rival:
                    return await self._press(rival.post, self._draw.hot, load)
            case Variant.PGLEDGER:
                async with Pgledger.open(self._url, self._pgledger_accounts, load.callers) as rival:
                    return await self._press(rival.post, self._draw.hot, load)
            case Variant.ONE_STATEMENT:
                return await self._press(OneStatement(self.database).post, self._draw.hot, load)
            case _:
                assert_never(case.variant)

    async def _press_product(self, draw: Callable[[], Disbursement], load: Load) -> Figures:
        poster: GroupPoster[None, None] = GroupPoster(self.database)
        try:
            return await self._press(Product(poster, self.books).post, draw, load)
        finally:
            await poster.close()

    async def _press(self, post: Post, draw: Callable[[], Disbursement], load: Load) -> Figures:
        return await press(post, draw, load, self._meter)
