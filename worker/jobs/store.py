"""The queue's tables, one function per statement. No function opens a transaction; callers do.

``enqueue_jobs``, ``finish_jobs``, ``hold_jobs`` and ``wake_jobs`` are for the transactions of other stations. Locks are
taken in one order everywhere, first jobs, then lanes: finish, hold or wake first, and enqueue last, in one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

import asyncpg

from worker.database import Connection, query
from worker.jobs.job import Acknowledgement, Job, NewJob, storable

LEASE: Final = timedelta(seconds=6)
"""How long a silent worker keeps its jobs: long enough for three heartbeats, and kill -9 is healed within 8 s."""

DUE_JOBS_AT_ONCE: Final = 500
"""Waiting jobs made ready by one pump, so that a crowd coming due together cannot hold up what is running."""

PRUNED_AT_ONCE: Final = 1_000
"""Attempts forgotten by one statement: a few milliseconds of work."""


class JobState(IntEnum):
    """``jobs.state``; the migration draws the arrows between them."""

    READY = 0
    RUNNING = 1
    BLOCKED = 2
    WAITING = 3


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as its row says. ``reason`` is why it waits; ``run_at`` is None while it is parked."""

    id: int
    kind: str
    lane: int
    subject: int
    state: JobState
    attempt: int
    run_at: datetime | None
    created_at: datetime
    worker: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up, and the job that replays it, if a person asked for one."""

    id: int
    job_id: int
    kind: str
    lane: int
    subject: int
    attempt: int
    created_at: datetime
    reason_class: str
    reason: str
    buried_at: datetime
    replayed_at: datetime | None
    replayed_job_id: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that did not succeed; ``outcome`` is failed, crashed or buried."""

    job_id: int
    attempt: int
    at: datetime
    worker: int | None
    outcome: str
    error: str


@dataclass(frozen=True, slots=True)
class JobCount:
    """Jobs of one kind that are ready, running, blocked, delayed or parked.

    ``oldest_seconds`` is how long the oldest ready one could have run already; for the others, its age.
    """

    kind: str
    condition: str
    jobs: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """Dead letters of one class nobody replayed yet, and the age of the oldest."""

    reason_class: str
    letters: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Pump:
    """What one pump tells the queue: jobs finished, jobs answered otherwise, and how many of each kind are wanted."""

    worker_id: int
    session: int
    done: Sequence[int] = ()
    settled: Sequence[int] = ()
    answers: Sequence[Acknowledgement] = ()
    wants: Mapping[str, int] | None = None
    look_for_due: bool = False


async def enqueue_jobs(connection: Connection, jobs: Sequence[NewJob]) -> list[int]:
    """Enqueue the jobs at the end of their lanes and return their ids, in the same order.

    Call it once in a transaction and after any finishing or waking (lock order); hint to the workers after the commit.
    """
    if not jobs:
        return []
    ids: list[int] = await connection.fetchval(
        query("jobs/enqueue_jobs"),
        [job.kind for job in jobs],
        [job.lane for job in jobs],
        [job.subject for job in jobs],
    )
    return ids


async def pump(connection: Connection, pump: Pump) -> list[Job]:
    """Acknowledge, promote and claim in one round trip; return the claimed jobs.

    What the worker no longer holds is passed over in silence: somebody else has it. Nothing is claimed without a
    valid lease.
    """
    answers, wants = pump.answers, {kind: want for kind, want in (pump.wants or {}).items() if want > 0}
    rows = await connection.fetch(
        query("jobs/pump_jobs"),
        pump.worker_id,
        pump.session,
        pump.done,
        pump.settled,
        [a.job_id for a in answers],
        [a.answer.value for a in answers],
        [a.delay for a in answers],
        [a.reason_class for a in answers],
        [a.reason for a in answers],
        list(wants),
        list(wants.values()),
        DUE_JOBS_AT_ONCE if pump.look_for_due else 0,
    )
    return [Job(*row) for row in rows]


async def finish_jobs(connection: Connection, worker_id: int, job_ids: Iterable[int]) -> set[int]:
    """Finish the worker's jobs with the surrounding transaction; answer ``Settled`` for them after it committed.

    Returns the ids that were the worker's to finish. A caller that gets fewer than it asked for must roll back: the
    missing ones were given to another worker. Each lane goes on when the runner has acknowledged ``Settled``.
    """
    rows = await connection.fetch(query("jobs/finish_jobs"), worker_id, list(job_ids))
    return {row["id"] for row in rows}


async def hold_jobs(connection: Connection, worker_id: int, job_ids: Iterable[int]) -> set[int]:
    """Fence without finishing: the ids still the worker's, which nobody can take before the transaction ends."""
    rows = await connection.fetch(query("jobs/hold_jobs"), worker_id, list(job_ids))
    return {row["id"] for row in rows}


async def wake_jobs(connection: Connection, kind: str, subjects: Iterable[int]) -> None:
    """Wake the kind's jobs for these subjects: a waiting one is ready now, a running one as soon as it wants to wait.

    Nothing is lost: the woken handler always reads what the surrounding transaction wrote. Jobs that never began are
    left alone, they will read it anyway.
    """
    await connection.execute(query("jobs/wake_jobs"), kind, list(subjects))


async def retry_job(connection: Connection, job_id: int) -> bool:
    """Make a waiting job ready now; false when there is none by that id."""
    return await connection.fetchval(query("jobs/retry_job"), job_id) is not None


async def bury_job(connection: Connection, job_id: int, reason_class: str, reason: str) -> bool:
    """Make the job a dead letter; false when it is running or there is none by that id."""
    row = await connection.fetchrow(query("jobs/bury_job"), job_id, storable(reason_class), storable(reason))
    return row is not None


async def replay_dead_letter(connection: Connection, dead_letter_id: int) -> int | None:
    """Enqueue the dead letter's job once more, as a new job at the end of its lane, and return that job's id.

    None when it was replayed before or does not exist. The new job's history (:func:`list_attempts`) includes the old.
    """
    job_id: int | None = await connection.fetchval(query("jobs/replay_dead_letter"), dead_letter_id)
    return job_id


async def register_worker(connection: Connection, worker_id: int, name: str, lease: timedelta = LEASE) -> None:
    """Open a lease under an id that was never used before."""
    await connection.execute(query("jobs/register_worker"), worker_id, name, lease)


async def renew_lease(connection: Connection, worker_id: int, lease: timedelta = LEASE) -> bool:
    """Extend the lease, even one that ran out unnoticed; false when its jobs were given to others."""
    return await connection.fetchval(query("jobs/renew_lease"), worker_id, lease) is True


async def begin_session(
    connection: Connection, worker_id: int, known: Iterable[int], lease: timedelta = LEASE
) -> int | None:
    """Start pumping on a new connection and return the session's number; None when the lease was lost.

    An older session can claim nothing any more. Jobs it claimed whose ids are not among the ``known`` ones never
    reached the worker: they are handed back.
    """
    session: int | None = await connection.fetchval(query("jobs/begin_session"), worker_id, lease, list(known))
    return session


async def rescue_expired(connection: Connection, grace: timedelta = LEASE) -> int:
    """Make the jobs of every worker whose lease ran out ready again; returns how many.

    ``grace`` is the time workers have to renew after the database itself came back. Their attempts count: a job that
    kills its process must not do so for ever.
    """
    rescued: int = await connection.fetchval(query("jobs/rescue_expired"), grace)
    return rescued


async def release_all(connection: Connection, worker_id: int) -> int:
    """Hand back all jobs the worker holds, as if never attempted, and end its lease; returns how many."""
    released: int = await connection.fetchval(query("jobs/release_all"), worker_id)
    return released


async def prune_attempts(connection: Connection, retention: timedelta) -> int:
    """Forget a portion of the attempts older than ``retention`` whose jobs ended well; returns how many."""
    return len(await connection.fetch(query("jobs/prune_attempts"), retention, PRUNED_AT_ONCE))


async def list_jobs(
    connection: Connection, *, kind: str | None = None, state: JobState | None = None, after: int = 0, limit: int = 100
) -> list[StoredJob]:
    """Unfinished jobs with ids above ``after``, in id order."""
    rows = await connection.fetch(query("jobs/list_jobs"), after, kind, state, limit)
    return [_stored_job(row) for row in rows]


async def get_job(connection: Connection, job_id: int) -> StoredJob | None:
    """An unfinished job."""
    row = await connection.fetchrow(query("jobs/get_job"), job_id)
    return None if row is None else _stored_job(row)


async def list_dead_letters(
    connection: Connection, *, reason_class: str | None = None, after: int = 0, limit: int = 100
) -> list[DeadLetter]:
    """Dead letters nobody replayed yet with ids above ``after``, in id order."""
    rows = await connection.fetch(query("jobs/list_dead_letters"), after, reason_class, limit)
    return [DeadLetter(*row) for row in rows]


async def get_dead_letter(connection: Connection, dead_letter_id: int) -> DeadLetter | None:
    """A dead letter, replayed or not."""
    row = await connection.fetchrow(query("jobs/get_dead_letter"), dead_letter_id)
    return None if row is None else DeadLetter(*row)


async def list_attempts(connection: Connection, job_id: int) -> list[Attempt]:
    """Every failed attempt of the job and of the dead letters it replays, oldest first."""
    rows = await connection.fetch(query("jobs/list_attempts"), job_id)
    return [Attempt(*row) for row in rows]


async def count_jobs(connection: Connection) -> list[JobCount]:
    """Depth and oldest age of every kind and condition. Reads the whole table: for a scrape, not for a request."""
    return [JobCount(*row) for row in await connection.fetch(query("jobs/count_jobs"))]


async def count_dead_letters(connection: Connection) -> list[DeadLetterCount]:
    """Number and oldest age of the open dead letters of every class."""
    return [DeadLetterCount(*row) for row in await connection.fetch(query("jobs/count_dead_letters"))]


def _stored_job(row: asyncpg.Record) -> StoredJob:
    return StoredJob(**{**row, "state": JobState(row["state"])})
