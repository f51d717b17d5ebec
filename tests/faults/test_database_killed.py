"""PostgreSQL killed and started again under load: what was acknowledged takes effect once, and work goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.conftest import watched_stack
from tests.faults.story import Story, assert_told_once, deliver, map_every_company
from tests.flow.borrower import Borrower
from tests.flow.stack import Stack, eventually
from tests.foundation.servers import running_server

LOANS_PER_SENDER = 15
FEES_PER_LOAN = 10


class Senders:
    """Many systems that tell of many loans at once, each one event after the other, until each is acknowledged."""

    def __init__(self, stack: Stack, borrowers: list[Borrower]) -> None:
        self._stack = stack
        # Two senders for each borrower: one of loans that move money, one of loans that are only charged fees.
        self.sheaves = [[Story.about(borrower) for _ in range(4)] for borrower in borrowers]
        self.sheaves += [
            [Story.about(borrower, 1, fees=FEES_PER_LOAN) for _ in range(LOANS_PER_SENDER)] for borrower in borrowers
        ]
        self.acknowledged = 0
        self.repeated = 0

    @property
    def stories(self) -> list[Story]:
        """Everything they tell."""
        return [story for sheaf in self.sheaves for story in sheaf]

    async def tell(self) -> None:
        """Tell it all."""
        async with asyncio.TaskGroup() as senders:
            for sheaf in self.sheaves:
                senders.create_task(self._tell(sheaf))

    async def _tell(self, sheaf: list[Story]) -> None:
        for story in sheaf:
            for webhook_id, event in story.events:
                self.repeated += await deliver(self._stack, webhook_id, event) > 1
                self.acknowledged += 1

    async def told(self, share: float) -> None:
        """Return when this share of all events was acknowledged."""
        total = sum(len(story.events) for story in self.stories)

        async def enough() -> bool:
            return self.acknowledged >= share * total

        await eventually(enough)


async def refused_politely(stack: Stack, story: Story) -> bool:
    """Whether a webhook is now answered 503, with a time to come again; the process itself is always alive."""
    assert await status_of(stack, "/livez") == 200
    status, headers = await stack.answer(*story.events[0])
    return status == 503 and int(headers["Retry-After"]) > 0


async def status_of(stack: Stack, path: str) -> int:
    """The status of one answer."""
    async with stack.session.get(f"{stack.service_url}{path}") as response:
        return response.status


async def test_postgres_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with running_server() as server, watched_stack(server.url(), tmp_path) as stack:
        borrowers = await map_every_company(stack)
        senders, refused = Senders(stack, borrowers), Story.about(borrowers[0])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(senders.tell())
            await senders.told(0.2)
            server.kill()
            await eventually(lambda: refused_politely(stack, refused))
            assert await status_of(stack, "/readyz") == 503
            await server.start()

            await senders.told(0.5)
            server.kill()
            await server.start()

        assert senders.repeated > 0
        assert await status_of(stack, "/readyz") == 200
        await refused.tell(stack)
        await assert_told_once(stack, [*senders.stories, refused])
