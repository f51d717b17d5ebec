"""Measures reading: the balances an aged ledger is asked for, each by the very statement the API uses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from worker.bench import read_store
from worker.bench.cases import Reading
from worker.bench.figures import MILLISECONDS, ReadFigures, read_figures
from worker.bench.history import YEAR
from worker.bench.product import ROOT, Books
from worker.bench.workload import ACCOUNTS, CASH
from worker.database import Database
from worker.errors import Bug
from worker.ledger.book import midnight

TIMES: Final = 200
"""How often each is read, with other values every time."""

WARM_UP: Final = 10
"""Reads before that: the plan is made and kept, and the pages are in memory."""


@dataclass(frozen=True, slots=True)
class _Read:
    query: str
    draw: Callable[[], tuple[Any, ...]]


async def measure_reading(
    database: Database, books: Books, transactions: int, until: datetime
) -> dict[Reading, ReadFigures]:
    """Read from a ledger with a history of so many transactions, each of which met the hot accounts, up to a moment."""
    async with database.connection() as connection:
        root = await read_store.find_category(connection, books.ledger_id, ROOT)
    chance, hot = random.Random(), books.accounts[CASH]
    reads = {
        Reading.BALANCE: _Read("api/find_account", lambda: (_any(books, chance),)),
        Reading.AT_VERSION: _Read("api/sums_at_version", lambda: (hot, chance.randint(1, transactions))),
        Reading.AT_DAY: _Read("api/sums_before", lambda: (hot, midnight((until - YEAR * chance.random()).date()))),
        Reading.AT_MOMENT: _Read("api/sums_before", lambda: (hot, until - YEAR * chance.random())),
        Reading.CATEGORY: _Read("api/find_category", lambda: (root,)),
    }
    return {reading: await _measure(database, read) for reading, read in reads.items()}


def _any(books: Books, chance: random.Random) -> object:
    return books.accounts[chance.choice(ACCOUNTS)]


async def _measure(database: Database, read: _Read) -> ReadFigures:
    inside, answers = [], []
    async with database.connection() as connection:
        for _ in range(WARM_UP + TIMES):
            arguments = read.draw()
            begun = time.perf_counter()
            found = await read_store.read(connection, read.query, arguments)
            answers.append((time.perf_counter() - begun) * MILLISECONDS)
            inside.append(await read_store.time_in_database(connection, read.query, arguments))
            if found != 1:
                raise Bug(f"{read.query} found {found} rows instead of one")
    return read_figures(inside[WARM_UP:], answers[WARM_UP:])
