"""``kill -9`` at every boundary of a repayment's reversal, where the platform lets a cost be deleted.

The stories up to their repayments are told before; every process that dies is told the reversal of one more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from tests.faults.cradle import Cradle
from tests.faults.places import Telling, after_a_death_at_each, places_of, subject_of
from tests.faults.story import Story, assert_told_once, deliver
from tests.flow.borrower import Borrower
from tests.flow.stack import Stack
from worker.codat.platforms import Platform
from worker.writeback.plan import StepKind

SUBJECTS = {
    "loan.repayment_reversed",
    *(StepKind.TRANSFER, StepKind.DELETE_DIRECT_COST, StepKind.BANK_TRANSACTION),
}

COMPANIES = 8
"""Borrowers who take turns: a line that was being written when its process died holds up others on its statement."""

LOSSES = ("status_after", "status_before", "push_times_out_then_succeeds")
"""How the answer to a deletion is lost: with the cost deleted, not deleted, deleted later."""

LATER = 400
"""Simulated seconds after which a deletion that had timed out takes effect after all: it is looked for before."""


@dataclass
class Repaid:
    """Stories told up to their repayments, and those that were reversed."""

    stack: Stack
    borrowers: deque[Borrower] = field(default_factory=deque)
    waiting: deque[Story] = field(default_factory=deque)
    reversed: list[Story] = field(default_factory=list)

    async def map(self) -> None:
        """Map companies whose platform deletes costs."""
        for _ in range(COMPANIES):
            company = next(one for one in await self.stack.admit() if one["platform"] == Platform.QUICKBOOKS_DESKTOP)
            borrower = Borrower(self.stack, company, "", company["baseCurrency"])
            await borrower.map()
            self.borrowers.append(borrower)

    async def tell(self, stories: int) -> None:
        """Tell so many stories up to their repayments."""
        for _ in range(stories):
            self.borrowers.rotate(-1)
            self.waiting.append(Story.about(self.borrowers[0], 3))
        await asyncio.gather(*(story.tell(self.stack) for story in self.waiting))
        await self.stack.settled()

    async def reverse(self, loss: str | None) -> None:
        """Tell the reversal of the next story; the answer to its deletion may be lost."""
        story = replace(self.waiting.popleft(), length=4)
        self.reversed.append(story)
        if loss is not None:
            match = {"method": "DELETE", "companyId": story.borrower.company["id"], "path": "*/push/directCosts/*"}
            await self.stack.control("faults", [{"kind": loss, "match": match, "status": 502, "seconds": LATER}])
        await deliver(self.stack, *story.events[-1])


async def find_tellings(cradle: Cradle, repaid: Repaid, directory: Path) -> dict[str, Telling]:
    """Every place that a reversal leads through, and how to lead a process there; there is enough left to reverse."""
    tellings: dict[str, Telling] = {}
    for loss in (None, *LOSSES):
        tell = partial(repaid.reverse, loss)
        for place in await places_of(cradle, repaid.stack, tell, directory / f"{loss}.places"):
            if is_about_reversal(place):
                tellings.setdefault(place, tell)
    assert {subject_of(place) for place in tellings} >= SUBJECTS
    async with repaid.stack.replica(repaid.stack.port):
        await repaid.tell(len(tellings) * 2)
    return tellings


def is_about_reversal(place: str) -> bool:
    """Whether it has to do with a saga or with the event itself: how webhooks are heard is the same for all."""
    return subject_of(place) in SUBJECTS or place.startswith("worker/writeback/saga.py:")


@pytest.mark.timeout(900)
async def test_a_process_killed_while_a_repayment_is_reversed_compensates_each_record_once(
    hurried: Stack, tmp_path: Path
) -> None:
    repaid = Repaid(hurried)
    async with hurried.replica(hurried.port):
        await repaid.map()
        await repaid.tell(1 + len(LOSSES))
    async with after_a_death_at_each(hurried, lambda cradle: find_tellings(cradle, repaid, tmp_path)):
        await assert_told_once(hurried, [*repaid.reversed, *repaid.waiting])
