"""Codat refuses everything for a while, or tells nothing for an hour: all completes, with no more requests than due."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import watched_stack
from tests.faults.story import Story, assert_told_once, map_every_company
from tests.flow.stack import Stack, eventually
from worker.demo.processes import free_port

REQUESTS_PER_MINUTE = 1000
"""Codat's ceiling per address; the simulator refuses what goes beyond it, and more than ten at once per company."""

STRAGGLERS = timedelta(seconds=1.5)
"""After a refusal, requests that were under way or already admitted by another replica may still arrive so long."""

HOUR = timedelta(hours=1)
HOURS_A_DAY = 24
SPEED = 240
"""A simulated hour takes fifteen seconds."""

LATE_SECONDS = 40 * 60
"""When, in simulated time, a write that had timed out takes effect."""

MOST_READS = 1 + 2 * 9
"""Of one push operation within an hour: once while it is pending; then looks for what became of it, at waits that
double from ten seconds and so fit nine times. Each look reads it before and after it has the books read anew."""


async def requests_of(stack: Stack) -> list[dict[str, Any]]:
    """Every request Codat received, with its time."""
    journal = (await stack.look("requests"))["requests"]
    return [{**request, "at": datetime.fromisoformat(request["at"])} for request in journal]


def rounds_of(moments: Sequence[datetime]) -> list[list[datetime]]:
    """The moments in groups between which nobody asked."""
    rounds: list[list[datetime]] = []
    for moment in moments:
        if not rounds or moment - rounds[-1][0] > STRAGGLERS:
            rounds.append([])
        rounds[-1].append(moment)
    return rounds


def assert_within_limits(requests: Sequence[dict[str, Any]]) -> None:
    """Codat itself never had to refuse a request, and no minute saw more than it allows."""
    assert [request for request in requests if request["status"] == 429 and not request["fault"]] == []
    moments = [request["at"] for request in requests]
    for number, moment in enumerate(moments[REQUESTS_PER_MINUTE:]):
        assert moment - moments[number] >= timedelta(minutes=1)


@pytest.mark.parametrize(("retry_after", "wait", "refused_rounds"), [("3", 3, 2), (None, 10, 1)])
async def test_a_storm_of_rate_limits_is_sat_out_by_every_replica(
    database_url: str, tmp_path: Path, retry_after: str | None, wait: int, refused_rounds: int
) -> None:
    async with (
        watched_stack(database_url, tmp_path, speed=1, serve=False) as stack,
        stack.replica(stack.port, WRITEBACK_TIME_SCALE="20"),
        stack.replica(free_port(), WRITEBACK_TIME_SCALE="20"),
    ):
        borrowers = await map_every_company(stack)
        stories = [Story.about(borrower) for borrower in borrowers for _ in range(4)]
        await stack.control("faults", [{"kind": "rate_limit", "probability": 1, "retryAfter": retry_after}])
        await asyncio.gather(*(story.tell(stack) for story in stories))

        async def refused_again() -> bool:
            refused = [one["at"] for one in await requests_of(stack) if one["fault"] == "rate_limit"]
            return len(rounds_of(refused)) == refused_rounds

        await eventually(refused_again)
        async with stack.session.delete(f"{stack.simulator_url}/_simulator/faults") as response:
            assert response.status == 204
        await assert_told_once(stack, stories)

        requests = await requests_of(stack)
        assert_within_limits(requests)
        for refused in rounds_of([one["at"] for one in requests if one["fault"] == "rate_limit"]):
            closed = (refused[0] + STRAGGLERS, refused[0] + timedelta(seconds=wait))
            assert [one for one in requests if closed[0] < one["at"] < closed[1]] == []
            assert len(refused) <= len(stories), "a refused request was repeated before its time"


async def test_an_hour_without_webhooks_is_got_over_by_polling_within_an_hours_share_of_the_quota(
    database_url: str, tmp_path: Path
) -> None:
    async with watched_stack(database_url, tmp_path, speed=SPEED) as stack:
        borrowers = await map_every_company(stack)
        started = len(await requests_of(stack))
        late = {"kind": "push_times_out_then_succeeds", "seconds": LATE_SECONDS, "match": {"dataType": "transfers"}}
        await stack.control("faults", [{"kind": "webhook_lost", "probability": 1}, late])
        begun = await simulated_now(stack)
        stories = []
        for part in (0, 1):
            told = [Story.about(borrower) for borrower in borrowers]
            await asyncio.gather(*(story.tell(stack) for story in told))
            stories += told
            await passed(stack, begun + HOUR * (part + 1) / 2)
        await assert_told_once(stack, stories)

        requests = (await requests_of(stack))[started:]
        assert_within_limits(requests)
        looks = Counter(one["path"] for one in requests if one["method"] == "GET" and "/push/" in one["path"])
        writes = sum(len(story.transfers + story.direct_costs + story.lines) for story in stories)
        assert len(looks) == writes
        often = sorted(looks.values(), reverse=True)
        assert often[0] <= MOST_READS
        assert set(often[1:]) <= {1, 2}
        quota = 1000 + 1000 * len(borrowers)
        assert len(requests) <= quota / HOURS_A_DAY


async def simulated_now(stack: Stack) -> datetime:
    """Codat's time."""
    return datetime.fromisoformat((await stack.look("world"))["now"])


async def passed(stack: Stack, moment: datetime) -> None:
    """Return when Codat's time has passed this moment."""

    async def late_enough() -> bool:
        return await simulated_now(stack) >= moment

    await eventually(late_enough)
