"""Any arrival order ends in the same books: the real ledger and saga tables against the reference in memory."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from tests.loans.books import MemoryBooks
from tests.loans.events import Delivery
from tests.loans.histories import live
from tests.loans.station import Station
from worker.loans.store import count_held, get_loan
from worker.writeback.store import movement_document


def shuffled(history: list[Delivery], random: Random) -> list[Delivery]:
    """Every event once to three times, in any order."""
    arrivals = [delivery for delivery in history for _ in range(random.randint(1, 3))]
    random.shuffle(arrivals)
    return arrivals


@pytest.mark.parametrize("seed", range(12))
async def test_any_arrival_order_ends_in_the_same_books(station: Station, seed: int) -> None:
    history, random = live(seed, events=20), Random(seed)
    in_order = MemoryBooks().deliver(*history)
    arrivals = shuffled(history, random)

    worker = await station.worker()
    while arrivals:
        portion = random.randint(1, len(arrivals))
        await station.receive(*arrivals[:portion])
        await worker.drain(at_most=random.randint(1, 5))
        arrivals = arrivals[portion:]

    ledger = await station.ledger()
    assert ledger.contents() == in_order.ledger.contents()
    assert ledger.balances() == in_order.ledger.balances()
    movements = Counter(json.dumps(json.loads(movement), sort_keys=True) for movement in await station.movements())
    assert movements == Counter(json.dumps(movement_document(m), sort_keys=True) for m in in_order.movements)
    async with station.database.connection() as connection:
        assert (await count_held(connection)).events == 0
        assert await get_loan(connection, "L1") == in_order.batch.loans["L1"]
    assert await station.dead_letters() == []
    assert await station.balances() is not None
