"""Processes that are killed, frozen or told to stop while they work: others go on, and nothing happens twice."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.cradle import open_cradle, place
from tests.faults.story import Story, assert_told_once, deliver, map_every_company
from tests.flow.borrower import Borrower
from tests.flow.stack import TIME_SCALE, Stack, eventually
from worker.demo.processes import free_port

RUNNING_AGAIN_SECONDS = 8.0
"""What is promised: six seconds of lease, a second until somebody looks, and a second for the rest."""

LONG_PUSH_SECONDS = 12 * TIME_SCALE
"""Simulated length of a request that is under way while its process is killed or frozen: longer than any lease."""

SHORT_PUSH_SECONDS = 2 * TIME_SCALE
"""Simulated length of a request that is under way while its process is told to stop: it may end in time."""

STEPS = ("*/push/transfers", "*/push/directCosts", "*/bankTransactions")
"""Where each kind of step is sent."""


async def hold_up(stack: Stack, borrower: Borrower, path: str, seconds: int) -> None:
    """Let the borrower's next request of this kind take so long."""
    match = {"method": "POST", "path": path, "companyId": borrower.company["id"]}
    await stack.control("faults", [{"kind": "delay", "match": match, "seconds": seconds}])


async def held_up(stack: Stack) -> list[dict[str, Any]]:
    """The requests that were held up, finished or not."""
    journal = (await stack.look("requests"))["requests"]
    return [request for request in journal if request["fault"] == "delay"]


async def under_way(stack: Stack, requests: int) -> None:
    """Return when so many of the requests that were to be held up have been sent."""

    async def sent() -> bool:
        return len(await held_up(stack)) == requests

    await eventually(sent)


async def over(stack: Stack) -> None:
    """Return when every request that was held up has taken effect, whether or not its sender still lives."""

    async def answered() -> bool:
        return all(request["status"] is not None for request in await held_up(stack))

    await eventually(answered)


async def running_jobs(stack: Stack) -> dict[int, int]:
    """The worker of each running saga."""
    rows = await stack.fetch("select id, worker from jobs where state = 1 and kind = 'advance_saga'")
    return {row["id"]: row["worker"] for row in rows}


async def tell_all(stack: Stack, stories: Sequence[Story]) -> None:
    await asyncio.gather(*(story.tell(stack) for story in stories))


async def freeze(process: asyncio.subprocess.Process) -> None:
    """Stop a process as a stalled machine does, and return when it stands still."""
    process.send_signal(signal.SIGSTOP)
    await standing_still(process.pid)


async def standing_still(pid: int) -> None:
    """Return when the process is stopped."""

    async def stopped() -> bool:
        return state_of(pid) == "T"

    await eventually(stopped)


def state_of(pid: int) -> str:
    """The kernel's letter for what the process does."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


async def test_a_killed_workers_jobs_run_again_within_eight_seconds(bare: Stack) -> None:
    async with bare.replica(bare.port) as first:
        borrowers = await map_every_company(bare)
        stories = [Story.about(borrower, 2) for borrower in borrowers for _ in range(3)]
        for story in stories:
            await hold_up(bare, story.borrower, STEPS[0], LONG_PUSH_SECONDS)
        await tell_all(bare, stories)
        await under_way(bare, len(stories))
        before = await running_jobs(bare)
        assert len(before) == len(stories)
        first.process.kill()
        killed_at = time.monotonic()
        await first.process.wait()
    async with bare.replica(bare.port):

        async def all_run_again() -> bool:
            return await bare.fetch("select from jobs where id = any($1) and worker = any($2)", *marks) == []

        marks = (list(before), list(set(before.values())))
        await eventually(all_run_again)
        assert time.monotonic() - killed_at <= RUNNING_AGAIN_SECONDS
        await over(bare)
        await assert_told_once(bare, stories)


async def test_a_worker_frozen_while_it_sends_each_kind_of_step_writes_nothing_twice(bare: Stack) -> None:
    async with bare.replica(bare.port) as frozen:
        borrowers = await map_every_company(bare)
        stories = [Story.about(borrower) for borrower in borrowers[: len(STEPS)]]
        for story, path in zip(stories, STEPS, strict=True):
            await hold_up(bare, story.borrower, path, LONG_PUSH_SECONDS)
        await tell_all(bare, stories)
        await under_way(bare, len(STEPS))
        await freeze(frozen.process)
        async with bare.replica(free_port()):
            await bare.settled()
            frozen.process.send_signal(signal.SIGCONT)
            await over(bare)
        stories += await told_anew(bare, borrowers)
        await assert_told_once(bare, stories)


async def test_a_worker_frozen_before_it_commits_an_event_applies_nothing_twice(bare: Stack) -> None:
    async with bare.replica(bare.port):
        borrowers = await map_every_company(bare)
    async with open_cradle(bare) as cradle:
        ended = await cradle.start(stop_at=place("worker/loans/apply.py", "await _finish(", "loan.disbursed"))
        story = Story.about(borrowers[0])
        *first, last = story.events
        for event in first:
            await deliver(bare, *event)
        await standing_still(cradle.pid)
        assert await bare.fetch("select from ledger_transactions") == []
        async with bare.replica(port := free_port()):
            await deliver(bare, *last, url=f"http://127.0.0.1:{port}")
            await bare.settled()
            cradle.signal(signal.SIGCONT)
        stories = [story, *await told_anew(bare, borrowers)]
        await assert_told_once(bare, stories)
        cradle.signal(signal.SIGTERM)
        assert await ended == 0


async def told_anew(stack: Stack, borrowers: Sequence[Borrower]) -> list[Story]:
    """More stories, for whoever is left to work on them."""
    stories = [Story.about(borrower) for borrower in borrowers]
    await tell_all(stack, stories)
    return stories


async def test_a_worker_told_to_stop_under_load_finishes_or_hands_back_and_another_goes_on(bare: Stack) -> None:
    async with bare.replica(bare.port) as leaving, bare.replica(port := free_port()):
        borrowers = await map_every_company(bare)
        stories = [Story.about(borrower) for borrower in borrowers for _ in range(4)]
        for borrower in borrowers:
            await hold_up(bare, borrower, STEPS[0], SHORT_PUSH_SECONDS)
        await tell_all(bare, stories)
        await under_way(bare, len(borrowers))

        leaving.process.terminate()
        await eventually(lambda: refuses_work(bare))
        assert leaving.process.returncode is None
        heard = len(leaving.log.read_text(encoding="utf-8"))
        later = [Story.about(borrower) for borrower in borrowers]
        url = f"http://127.0.0.1:{port}"
        await asyncio.gather(*(deliver(bare, *event, url=url) for story in later for event in story.events))

        assert await leaving.process.wait() == 0
        last_words = leaving.log.read_text(encoding="utf-8")[heard:]
        assert [story.loan_id for story in later if f'"{story.loan_id}"' in last_words] == []
        await assert_told_once(bare, stories + later)


async def refuses_work(stack: Stack) -> bool:
    """Whether the service says that it should get no more."""
    async with stack.session.get(f"{stack.service_url}/readyz") as response:
        return response.status == 503 and "draining" in await response.text()
