"""Any arrival order ends in the same books: the real ledger and saga tables against the reference in memory."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from random import Random

import pytest

from tests.loans.books import MemoryBooks
from tests.loans.events import Delivery
from tests.loans.histories import live
from tests.loans.station import Station
from worker.loans.store import count_held, list_loans
from worker.writeback.movement import movement_document


def shuffled(history: list[Delivery], random: Random) -> list[Delivery]:
    """Every event once to three times, in any order."""
    arrivals = [delivery for delivery in history for _ in range(random.randint(1, 3))]
    random.shuffle(arrivals)
    return arrivals


@pytest.mark.parametrize("seed", range(12))
async def test_any_arrival_order_ends_in_the_same_books(station: Station, seed: int) -> None:
    history, random = live(seed, events=20), Random(seed)
    arrivals = shuffled(history, random)

    worker = await station.worker()
    while arrivals:
        portion = random.randint(1, len(arrivals))
        await station.receive(*arrivals[:portion])
        await worker.drain(at_most=random.randint(1, 5))
        arrivals = arrivals[portion:]

    await assert_same_books(station, MemoryBooks().deliver(*history))


@pytest.mark.parametrize("seed", range(3))
async def test_two_workers_on_loans_with_the_same_investors_end_in_the_same_books(station: Station, seed: int) -> None:
    histories = [live(seed * 100 + n, loan_id=f"L{n}") for n in range(6)]
    in_order = MemoryBooks()
    for history in histories:
        in_order.deliver(*history)

    await station.receive(*shuffled([delivery for history in histories for delivery in history], Random(seed)))
    first, second = await station.worker(), await station.worker()
    await asyncio.gather(first.drain(at_most=3), second.drain(at_most=3))
    await first.drain()  # what the one released when the other had already stopped

    await assert_same_books(station, in_order)


async def assert_same_books(station: Station, in_order: MemoryBooks) -> None:
    ledger = await station.ledger()
    assert ledger.contents() == in_order.ledger.contents()
    assert ledger.balances() == in_order.ledger.balances()
    movements = Counter(json.dumps(json.loads(movement), sort_keys=True) for movement in await station.movements())
    assert movements == Counter(json.dumps(movement_document(m), sort_keys=True) for m in in_order.movements)
    async with station.database.connection() as connection:
        assert (await count_held(connection)).events == 0
        assert {loan.loan_id: loan for loan in await list_loans(connection)} == in_order.batch.loans
    assert await station.dead_letters() == []
    await station.balances()  # which also lets the ledger verify itself
