"""``kill -9`` at every boundary of finding out what became of a write whose answer was lost, for each kind of record.

The faults are those after which nobody can tell without looking: carried out and not answered for, not carried out and
not answered for, timed out and carried out later.
"""

from __future__ import annotations

import base64
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.faults.cradle import Cradle
from tests.faults.killed import LOOKING
from tests.faults.places import Telling, after_a_death_at_each, file_of, places_of, subject_of
from tests.faults.story import Story, assert_told_once, deliver
from tests.flow.borrower import Borrower
from tests.flow.stack import CODAT_API_KEY, Stack, eventually
from worker.writeback.plan import StepKind

RECORDS = {StepKind.TRANSFER, StepKind.DIRECT_COST, StepKind.BANK_TRANSACTION}

COMPANIES = 8
"""Borrowers on each platform: a line that is looked for holds up the others on its statement, so they take turns."""

LATER = 400
"""Simulated seconds after which a write that had timed out takes effect after all."""


@dataclass(frozen=True)
class Loss:
    """How the answer to a story's first write of one type is lost."""

    platform: str
    data_type: str
    kind: str
    is_among_others: bool = False
    """Whether another program has just written a record of this type, which must not be taken for the lost one."""

    @property
    def length(self) -> int:
        """Events of a story that has such a write."""
        return 3 if self.data_type == "directCosts" else 2


LOSSES = [
    *(
        Loss("Sandbox", data_type, kind)
        for data_type in ("transfers", "directCosts", "bankTransactions")
        for kind in ("status_after", "status_before", "push_times_out_then_succeeds")
    ),
    Loss("Sandbox", "directCosts", "status_before", is_among_others=True),
    # Here lines cannot be read, and the history of pushes has to tell.
    *(Loss("Xero", "bankTransactions", kind) for kind in ("status_after", "status_before")),
]


@dataclass
class Lenders:
    """Tells ever new stories of mapped borrowers, and remembers them all."""

    stack: Stack
    borrowers: dict[str, deque[Borrower]]
    stories: list[Story] = field(default_factory=list)

    @classmethod
    async def of(cls, stack: Stack, platforms: Iterable[str]) -> Lenders:
        """Map companies on these platforms with a service of its own."""
        borrowers: defaultdict[str, deque[Borrower]] = defaultdict(deque)
        async with stack.replica(stack.port):
            for _ in range(COMPANIES):
                for company in await stack.admit():
                    if company["platform"] in platforms:
                        borrower = Borrower(stack, company, "", company["baseCurrency"])
                        await borrower.map()
                        borrowers[company["platform"]].append(borrower)
            await stack.settled()
        return cls(stack, borrowers)

    def story(self, platform: str, length: int) -> Story:
        """A new loan of the borrower on this platform whose last one is longest ago."""
        self.borrowers[platform].rotate(-1)
        story = Story.about(self.borrowers[platform][0], length)
        self.stories.append(story)
        return story

    async def tell(self, platform: str) -> None:
        """Tell a whole story that goes well."""
        await self.story(platform, 3).tell(self.stack)

    async def lose(self, loss: Loss) -> None:
        """Tell a story that meets this loss."""
        story = self.story(loss.platform, loss.length)
        *first, last = story.events
        for webhook_id, event in first:
            await deliver(self.stack, webhook_id, event)
        if loss.is_among_others:
            await eventually(partial(self._is_written, story))
            await write_another_cost(story.borrower)
        match = {"method": "POST", "companyId": story.borrower.company["id"], "dataType": loss.data_type}
        fault = {"kind": loss.kind, "match": match, "status": 502, "seconds": LATER}
        await self.stack.control("faults", [fault])
        await deliver(self.stack, *last)

    async def _is_written(self, story: Story) -> bool:
        return (
            await self.stack.fetch("select from sagas where loan_id = $1 and state <> 'succeeded'", story.loan_id) == []
        )


async def write_another_cost(borrower: Borrower) -> None:
    """What another program may do at the same time: a cost between accounts that the writeback does not use."""
    company, stack = borrower.company, borrower.stack
    line = {"accountRef": {"id": company["otherExpenseAccountId"]}, "quantity": 1, "unitAmount": 7, "taxAmount": 0}
    payment = {"payment": {"accountRef": {"id": company["savingsAccountId"]}}, "allocation": {"totalAmount": 7}}
    body = {
        "issueDate": f"{datetime.now(UTC).date()}T00:00:00Z",
        "currency": borrower.currency,
        "subTotal": 7,
        "taxAmount": 0,
        "totalAmount": 7,
        "lineItems": [line],
        "paymentAllocations": [payment],
    }
    path = f"companies/{company['id']}/connections/{company['connectionId']}/push/directCosts"
    basic = base64.b64encode(CODAT_API_KEY.encode()).decode()

    async def is_accepted() -> bool:
        async with stack.session.post(
            f"{stack.simulator_url}/{path}", json=body, headers={"Authorization": f"Basic {basic}"}
        ) as response:
            # A fault may have been left over by a process that died before its request left.
            assert response.status in (200, 502), await response.text()
            return bool(response.status == 200)

    await eventually(is_accepted)


async def find_tellings(cradle: Cradle, lenders: Lenders, directory: Path) -> dict[str, Telling]:
    """Every place of a step that only stories with a loss come to, and how to lead a process there."""
    usual: set[str] = set()
    for platform in lenders.borrowers:
        notes = directory / f"{platform}.places"
        usual |= await places_of(cradle, lenders.stack, partial(lenders.tell, platform), notes)
    tellings: dict[str, Telling] = {}
    for number, loss in enumerate(LOSSES):
        tell = partial(lenders.lose, loss)
        for place in await places_of(cradle, lenders.stack, tell, directory / f"{number}.places") - usual:
            if subject_of(place) in RECORDS:
                tellings.setdefault(place, tell)
    assert {subject_of(place) for place in tellings if file_of(place) in LOOKING} == RECORDS
    assert {file_of(place) for place in tellings} >= set(LOOKING)
    return tellings


@pytest.mark.timeout(900)
async def test_a_process_killed_while_it_looks_for_a_lost_write_ends_with_one_record(
    hurried: Stack, tmp_path: Path
) -> None:
    lenders = await Lenders.of(hurried, {loss.platform for loss in LOSSES})
    async with after_a_death_at_each(hurried, lambda cradle: find_tellings(cradle, lenders, tmp_path)):
        await assert_told_once(hurried, lenders.stories)
