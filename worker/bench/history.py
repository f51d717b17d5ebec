"""A year of business, posted through the product itself, so that it obeys every rule there is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from worker.bench.draw import Draw
from worker.bench.product import Books, post_batch
from worker.bench.workload import ENTRIES, Disbursement
from worker.database import Database

YEAR: Final = timedelta(days=365)
"""How far the history reaches back."""

LATE_ONE_IN: Final = 20
LATEST: Final = timedelta(days=30)
"""One transaction in so many takes effect up to so long before it was written."""

BATCH: Final = 500
"""Transactions of a commit: well within a statement's time on a slow machine."""


async def write_history(
    database: Database, books: Books, entries: int, until: datetime, tell: Callable[[str], object]
) -> None:
    """Post so many entries, evenly over the year before a moment; ``tell`` hears of every tenth done."""
    transactions = -(-entries // ENTRIES)
    batch: list[tuple[Disbursement, datetime]] = []
    told = 0
    for number, one in enumerate(_history(transactions, until), 1):
        batch.append(one)
        if len(batch) == BATCH or number == transactions:
            await post_batch(database, books, batch)
            batch = []
        if number * 10 // transactions > told:
            told = number * 10 // transactions
            tell(f"a history of {transactions * ENTRIES} entries: {told * 10} %")


def _history(transactions: int, until: datetime) -> Iterator[tuple[Disbursement, datetime]]:
    draw, chance = Draw("history"), random.Random()
    for number in range(transactions):
        at = until - YEAR + YEAR * number / transactions
        yield draw.hot(), at - LATEST * chance.random() if number % LATE_ONE_IN == 0 else at
