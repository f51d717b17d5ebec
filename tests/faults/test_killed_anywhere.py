"""``kill -9`` at every boundary that a loan event passes on its way into both sets of books.

Nothing is sampled: the places are found by watching whole stories, one on every platform. A process dies at each of
them in turn, and the next one also recovers what those before it left behind.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.faults.cradle import Cradle
from tests.faults.killed import CRITICAL
from tests.faults.places import SIGKILLED, Telling, after_a_death_at_each, file_of, noted, subject_of
from tests.faults.story import Story, assert_told_once, map_every_company
from tests.flow.borrower import Borrower
from tests.flow.stack import Stack

SUBJECTS = {
    *("loans", "codat"),
    *("loan.created", "loan.disbursed", "loan.repayment_settled"),
    *("transfer", "direct_cost", "bank_transaction"),
}
"""What a process can be about when it dies: each must be among the places found."""


@dataclass
class Way:
    """How a place is reached: by which companies' stories, and how many events such a story needs."""

    length: int
    companies: set[str] = field(default_factory=set)


async def recorded(cradle: Cradle, story: Story, notes: Path) -> dict[str, int]:
    """Every place that a story passes, and with which of its events it was first passed."""
    stack = story.borrower.stack
    ended = await cradle.record(notes)
    starting = noted(notes)
    places: dict[str, int] = {}
    for number, (webhook_id, event) in enumerate(story.events, 1):
        assert await stack.send(webhook_id, event) == 202
        await stack.settled()
        for place in noted(notes) - starting:
            places.setdefault(place, number)
    cradle.signal(signal.SIGKILL)
    assert await ended == SIGKILLED
    return places


async def find_ways(cradle: Cradle, stories: Sequence[Story], directory: Path) -> dict[str, Way]:
    """Every place that any of the stories passes."""
    ways: dict[str, Way] = {}
    for story in stories:
        for place, length in (await recorded(cradle, story, directory / f"{story.loan_id}.places")).items():
            way = ways.setdefault(place, Way(length))
            way.length = min(way.length, length)
            way.companies.add(story.borrower.company["id"])
    assert {file_of(place) for place in ways} == set(CRITICAL)
    assert {subject for place in ways if (subject := subject_of(place))} == SUBJECTS
    return ways


def next_of(rota: deque[Borrower], way: Way, place: str) -> Borrower:
    """Whose loan comes to this place: a borrower on whose statement no line has been killed for longest.

    A killed line holds its statement until the dead process' lease ends, and other loans' lines have to wait for it.
    """
    borrower = next(one for one in rota if one.company["id"] in way.companies)
    if place.endswith(" bank_transaction"):
        rota.remove(borrower)
        rota.append(borrower)
    return borrower


@pytest.mark.timeout(900)
async def test_a_process_killed_at_any_boundary_loses_and_doubles_nothing(bare: Stack, tmp_path: Path) -> None:
    async with bare.replica(bare.port):
        borrowers = await map_every_company(bare)
    rota, stories = deque(borrowers), [Story.about(borrower) for borrower in borrowers]

    async def tell(place: str, way: Way) -> None:
        story = Story.about(next_of(rota, way, place), way.length)
        stories.append(story)
        await story.tell(bare)

    async def find_tellings(cradle: Cradle) -> dict[str, Telling]:
        ways = await find_ways(cradle, tuple(stories), tmp_path)
        return {place: partial(tell, place, way) for place, way in ways.items()}

    async with after_a_death_at_each(bare, find_tellings):
        await assert_told_once(bare, stories)
