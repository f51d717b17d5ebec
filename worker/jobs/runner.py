"""Claim, hand to the handler, record the outcome: the loop every worker process runs.

One pump at a time carries everything that ended meanwhile and brings back as much as there is room for, so that the
size of a batch follows the load by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from worker.database import Connection, Database
from worker.errors import Bug, DatabaseUnavailable
from worker.jobs import store
from worker.jobs.attempt import Result
from worker.jobs.crew import Crew
from worker.jobs.hints import Hints
from worker.jobs.job import Answer, Claim, Job, Registration, Retry
from worker.jobs.lease import Lease
from worker.jobs.maintenance import Maintenance
from worker.jobs.outbox import Outbox
from worker.jobs.patience import RECONNECT, put_an_end_to

POLL_FLOOR: Final = timedelta(seconds=1)
"""Longest time without looking for work: what a lost hint costs, and one trivial statement a second when idle."""

DUE_PERIOD: Final = timedelta(milliseconds=100)
"""How often a busy runner looks for waiting jobs whose time has come; an idle one looks every time it wakes."""

DRAIN: Final = timedelta(seconds=20)
"""How long running jobs may go on after the stop, within the 30 s container platforms usually allow."""

CANCEL: Final = timedelta(seconds=3)
"""How long cancelled handlers may take to clean up before the process leaves without them."""

_log = structlog.get_logger(__name__)


class Runner:
    """Runs jobs of the registered kinds until told to stop. Any number of processes may run one each."""

    def __init__(
        self,
        database: Database,
        registrations: Sequence[Registration],
        hints: Hints,
        *,
        drain: timedelta = DRAIN,
        on_lease_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._on_lease_lost = on_lease_lost
        self._drain_limit = drain
        self._crews = {r.kind: Crew(r, self._report) for r in registrations}
        if len(self._crews) != len(registrations):
            raise Bug("two handlers are registered for one kind of job")
        self._outbox = Outbox(random.SystemRandom().random)
        self._wake = asyncio.Event()
        self._look_for_due_at = 0.0
        name = f"{socket.gethostname()}:{os.getpid()}"
        self._lease = Lease(database, name, on_loss=self._renounce)
        self._maintenance = Maintenance(database, self._lease, on_rescue=hints.nudge)
        hints.subscribe(self._wake.set)

    @property
    def worker_id(self) -> int:
        """The id this runner's present lease is held under."""
        return self._lease.worker_id

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until ``stop`` is set, then finish or hand back what is running.

        The database going away is waited out: results are kept and written when it is back.
        """
        async with asyncio.TaskGroup() as group:
            chores = [
                group.create_task(self._lease.keep()),
                group.create_task(self._maintenance.run()),
                group.create_task(self._wake_at(stop)),
            ]
            await self._serve_until(stop)
            await self._drain()
            await put_an_end_to(chores)

    async def run_once(self) -> int:
        """Claim what is ready, run it to its end, record the outcomes; returns how many jobs that were."""
        async with self._database.connection() as connection:
            session = await self._begin_session(connection)
            self._look_for_due_at = 0.0
            started = await self._pump(connection, session)
            while calls := self._calls():
                await asyncio.wait(calls)
            await self._pump(connection, session, claim=False)
        return started

    async def _serve_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with self._database.connection() as connection:
                    session = await self._begin_session(connection)
                    while not stop.is_set():
                        if self._lease.lost:
                            session = await self._begin_session(connection)
                        await self._pump(connection, session)
                        await self._rest()
            except (DatabaseUnavailable, asyncpg.PostgresError) as error:
                _log.warning("runner_interrupted", error=str(error))
                await asyncio.sleep(RECONNECT.total_seconds())

    async def _begin_session(self, connection: Connection) -> int:
        while True:
            if self._lease.lost:
                await self._lease.open(connection)
            session = await store.begin_session(connection, self.worker_id, self._job_ids())
            if session is not None:
                return session
            self._lease.report_loss()

    async def _pump(self, connection: Connection, session: int, *, claim: bool = True) -> int:
        wants = {kind: room for kind, crew in self._crews.items() if (room := crew.room)} if claim else {}
        worker_id, parcel = self.worker_id, self._outbox.take()
        order = store.Pump(
            worker_id, session, parcel.done, parcel.settled, parcel.answers, wants, look_for_due=self._is_due_time()
        )
        try:
            jobs = await store.pump(connection, order)
        except BaseException:
            self._outbox.not_written()
            raise
        self._outbox.written()
        if worker_id == self.worker_id and not self._lease.lost:
            self._start(jobs, wants)
        return len(jobs)

    def _start(self, jobs: Sequence[Job], wants: dict[str, int]) -> None:
        by_kind: defaultdict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_kind[job.kind].append(job)
        for kind, wanted in wants.items():
            crew, claimed = self._crews[kind], by_kind[kind]
            limit = crew.registration.max_attempts
            crew.more_ready = len(claimed) == wanted
            crew.start(self.worker_id, [job for job in claimed if job.attempt <= limit])
            for job in claimed:
                if job.attempt > limit:  # every attempt allowed was begun, and the last ended with its process
                    self._put(job, Retry("the worker running it disappeared"), limit)

    async def _rest(self) -> None:
        await asyncio.sleep(0)  # calls that end at once join the very next pump
        busy = self._outbox or any(crew.more_ready and crew.room for crew in self._crews.values())
        if not busy and not self._wake.is_set():
            try:
                async with asyncio.timeout(POLL_FLOOR.total_seconds()):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_limit.total_seconds()
        for crew in self._crews.values():
            crew.drop_waiting()
        await self._hand_in()
        while ((calls := self._calls()) or self._outbox) and (left := deadline - loop.time()) > 0:
            if calls:
                await asyncio.wait(calls, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(RECONNECT.total_seconds())
            await self._hand_in()
        for crew in self._crews.values():
            crew.cancel()
        if calls := self._calls():
            await asyncio.wait(calls, timeout=CANCEL.total_seconds())
        await self._hand_in(leave=not self._calls())

    async def _hand_in(self, *, leave: bool = False) -> None:
        """Write all results and hand back every job that is not being run; ``leave`` ends the lease as well."""
        if self._lease.lost:
            return
        try:
            async with self._database.connection() as connection:
                session = await store.begin_session(connection, self.worker_id, self._job_ids())
                if session is not None:
                    await self._pump(connection, session, claim=False)
                if leave:
                    await store.release_all(connection, self.worker_id)
        except (DatabaseUnavailable, asyncpg.PostgresError) as error:
            _log.warning("hand_in_interrupted", error=str(error))

    def _report(self, claim: Claim, results: Sequence[Result]) -> None:
        if claim.worker_id != self.worker_id or self._lease.lost:
            return  # the jobs belong to somebody else, whose results count
        for job, result in zip(claim.jobs, results, strict=True):
            self._put(job, result, self._crews[job.kind].registration.max_attempts)
        self._wake.set()

    def _put(self, job: Job, result: Result, max_attempts: int) -> None:
        told = self._outbox.put(job, result, max_attempts)
        if told is None:
            return
        if told.answer in {Answer.SNOOZE, Answer.RETRY, Answer.HAND_BACK}:
            asyncio.get_running_loop().call_later(told.delay.total_seconds(), self._look_for_due)
        if told.answer in {Answer.RETRY, Answer.BURY}:
            _log.warning(
                "job_unsuccessful", job_id=job.id, kind=job.kind, attempt=job.attempt, answer=told.answer.value
            )

    def _renounce(self) -> None:
        """The lease is lost: stop everything that runs under it and forget its results."""
        for crew in self._crews.values():
            crew.cancel()
        self._outbox.clear()
        self._wake.set()
        self._on_lease_lost()

    def _calls(self) -> list[asyncio.Task[None]]:
        return [call for crew in self._crews.values() for call in crew.calls]

    def _job_ids(self) -> set[int]:
        running = {job_id for crew in self._crews.values() for job_id in crew.job_ids(self.worker_id)}
        return running.union(self._outbox.job_ids())

    def _is_due_time(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._look_for_due_at:
            return False
        self._look_for_due_at = now + DUE_PERIOD.total_seconds()
        return True

    def _look_for_due(self) -> None:
        self._look_for_due_at = 0.0
        self._wake.set()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
