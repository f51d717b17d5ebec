"""The handler calls of one kind in this process, and how many more jobs it can take."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from worker.jobs.attempt import Result, attempt
from worker.jobs.job import Claim, Job, Registration, batches


class Crew:
    """Runs claimed jobs in batches, at most the registered number of calls at once."""

    def __init__(self, registration: Registration, report: Callable[[Claim, Sequence[Result]], None]) -> None:
        self.registration = registration
        self.more_ready = True
        """Whether the last claim left ready jobs behind, as far as we know."""
        self._report = report
        self._calls: dict[asyncio.Task[None], Claim] = {}
        self._waiting: deque[Claim] = deque()

    @property
    def room(self) -> int:
        """Jobs that could start now."""
        free = self.registration.concurrency - len(self._calls) - len(self._waiting)
        return max(0, free) * self.registration.batch_size

    @property
    def calls(self) -> list[asyncio.Task[None]]:
        """Handler calls under way, cancelled ones included until they really end."""
        return list(self._calls)

    def start(self, worker_id: int, jobs: Sequence[Job]) -> None:
        """Begin with the jobs just claimed; those beyond the allowed number of calls follow as calls end."""
        self._waiting.extend(Claim(worker_id, batch) for batch in batches(jobs, self.registration.batch_size))
        self._start_waiting()

    def drop_waiting(self) -> None:
        """Forget the jobs no call began with; releasing them is the caller's part."""
        self._waiting.clear()

    def cancel(self) -> None:
        """Stop everything. Calls end when their handlers let them, and report nothing."""
        self.drop_waiting()
        for call in self._calls:
            call.add_done_callback(self._end)  # one cancelled before its first step never gets to do so itself
            call.cancel()

    def job_ids(self, worker_id: int) -> Iterable[int]:
        """Every job this crew has in hand under that worker's lease."""
        for claim in (*self._calls.values(), *self._waiting):
            if claim.worker_id == worker_id:
                for job in claim.jobs:
                    yield job.id

    def _start_waiting(self) -> None:
        while self._waiting and len(self._calls) < self.registration.concurrency:
            claim = self._waiting.popleft()
            call = asyncio.create_task(self._run(claim), name=f"job {self.registration.kind}")
            self._calls[call] = claim

    async def _run(self, claim: Claim) -> None:
        try:
            self._report(claim, await attempt(self.registration, claim))
        finally:
            self._end(asyncio.current_task())  # at once, so that the pump taking the result can fill its place

    def _end(self, call: asyncio.Task[None] | None) -> None:
        if call is not None:
            self._calls.pop(call, None)
        self._start_waiting()
