"""Any arrival order of a loan's events, each delivered once to three times, ends in the same books."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.loans.books import MemoryBooks
from tests.loans.events import Delivery
from tests.loans.histories import live


@st.composite
def histories_and_arrivals(draw: st.DrawFn) -> tuple[list[Delivery], list[Delivery]]:
    history = live(draw(st.integers(0, 2**32), label="seed"))
    copies = draw(st.lists(st.integers(1, 3), min_size=len(history), max_size=len(history)))
    deliveries = [index for index, times in enumerate(copies) for _ in range(times)]
    return history, [history[index] for index in draw(st.permutations(deliveries))]


@settings(max_examples=1_000, deadline=None)
@given(histories_and_arrivals())
def test_any_arrival_order_ends_in_the_same_books(lived: tuple[list[Delivery], list[Delivery]]) -> None:
    history, arrivals = lived
    in_order = MemoryBooks().deliver(*history)
    assert not in_order.held
    assert len(in_order.applied()) == len(history)

    as_arrived = MemoryBooks().deliver(*arrivals)

    assert not as_arrived.held
    assert as_arrived.ledger.contents() == in_order.ledger.contents()
    assert as_arrived.ledger.balances() == in_order.ledger.balances()
    assert Counter(as_arrived.movements) == Counter(in_order.movements)
    assert as_arrived.batch.loans == in_order.batch.loans
    assert as_arrived.batch.investors == in_order.batch.investors
