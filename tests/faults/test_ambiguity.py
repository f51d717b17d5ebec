"""Answers that get lost, come too early, twice, out of order or contradict each other: one record each, always."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.story import Story, assert_told_once, map_every_company
from tests.flow.borrower import Borrower
from tests.flow.stack import Stack

EACH_KIND = pytest.mark.parametrize("data_type", ["transfers", "directCosts", "bankTransactions"])

LATER = 120
"""Simulated seconds after which a write that had timed out takes effect after all."""


@dataclass(frozen=True)
class Books:
    """The mapped borrowers, and every story told of them so far: their books are the sum of all."""

    stack: Stack
    borrowers: Sequence[Borrower]
    stories: list[Story]

    async def told_through(self, data_type: str, fault: Mapping[str, Any], platform: str = "Xero") -> None:
        """Tell a story during which the next write of this type meets the fault, and look at both sets of books."""
        borrower = next(one for one in self.borrowers if one.company["platform"] == platform)
        match = {"companyId": borrower.company["id"], "dataType": data_type, **fault.get("match", {})}
        await self.stack.control("faults", [{**fault, "match": match}])
        story = Story.about(borrower)
        self.stories.append(story)

        await story.tell(self.stack)

        await assert_told_once(self.stack, self.stories)
        assert (await self.stack.look("faults"))["faults"] == [], "the fault met nothing"


@pytest.fixture(scope="module")
async def books(swift: Stack) -> Books:
    """The books of five borrowers on five platforms."""
    return Books(swift, await map_every_company(swift), [])


@EACH_KIND
@pytest.mark.parametrize("kind", ["status_before", "status_after", "cut_before", "cut_after"])
async def test_a_write_without_a_usable_answer_ends_as_one_record(books: Books, kind: str, data_type: str) -> None:
    await books.told_through(data_type, {"kind": kind, "status": 502, "match": {"method": "POST"}})


@EACH_KIND
@pytest.mark.parametrize("kind", ["push_times_out_then_succeeds", "push_times_out_but_written"])
async def test_a_write_that_timed_out_and_takes_effect_later_ends_as_one_record(
    books: Books, kind: str, data_type: str
) -> None:
    await books.told_through(data_type, {"kind": kind, "seconds": LATER}, "Sage Business Cloud Accounting")


@EACH_KIND
async def test_success_announced_before_the_answer_was_recorded_ends_as_one_record(
    books: Books, data_type: str
) -> None:
    await books.told_through(data_type, {"kind": "webhook_early"})


@EACH_KIND
@pytest.mark.parametrize(
    "kind", ["webhook_contradicted", "webhook_duplicated", "webhook_reordered", "webhook_late", "webhook_lost"]
)
async def test_webhooks_that_cannot_be_relied_on_change_nothing(books: Books, kind: str, data_type: str) -> None:
    await books.told_through(data_type, {"kind": kind, "copies": 3})
