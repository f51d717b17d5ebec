"""What a job is, what its handler may answer, and what each answer means for the queue. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final, TypeAlias, assert_never

FIRST_BACKOFF: Final = timedelta(seconds=1)
"""Ceiling of the wait after the first failure: most failures that pass at all pass within a second."""

LONGEST_BACKOFF: Final = timedelta(minutes=15)
"""Ceiling of every wait: a foreign system that comes back is noticed within a quarter of an hour."""

UNAVAILABLE_BACKOFF: Final = timedelta(seconds=1)
"""Wait before a job is tried again whose handler could not reach the database; it costs no attempt."""

REASON_LENGTH: Final = 2_000
"""Characters of a reason that are kept: enough for any message a person reads, too few to bloat the table."""

EXHAUSTED: Final = "exhausted"
"""Reason class of a job that used up its attempts."""


def lane(*parts: str) -> int:
    """The lane named by the parts, as the signed 64-bit number the queue stores: ``lane("loan", loan_id)``.

    Two names that collide (one pair in 2^64) would merely share a lane.
    """
    digest = blake2b(digest_size=8)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))  # so that ("ab", "c") and ("a", "bc") differ
        digest.update(encoded)
    return int.from_bytes(digest.digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to enqueue: ``kind`` names the handler, ``subject`` is the id of that handler's own row."""

    kind: str
    lane: int
    subject: int


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. ``attempt`` counts from 1 and starts over after every healthy answer (see :data:`Outcome`)."""

    id: int
    kind: str
    lane: int
    subject: int
    attempt: int
    run_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Jobs of different lanes handed to one handler call, and the id of the worker whose lease covers them."""

    worker_id: int
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Finished; the lane's next job may start."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Finished by the handler's own transaction, which called ``store.finish_jobs``."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Healthy, but to be looked at again after ``delay``, or at once when woken."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Park:
    """Healthy, and nothing to do until somebody wakes it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Failed; try again after a back-off, at most the kind's number of attempts."""

    error: str


@dataclass(frozen=True, slots=True)
class Bury:
    """Can never succeed as it is: a dead letter for a person to look at. Its lane goes on."""

    reason_class: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandBack:
    """The attempt never really took place (no database): it is not counted. Answered by the runner, not by handlers."""

    delay: timedelta


Outcome: TypeAlias = Done | Settled | Snooze | Park | Retry | Bury
"""What a handler answers for one job. While it snoozes, is parked or waits to be retried, its lane waits with it.

Only failures count towards a kind's ``max_attempts``: a :class:`Retry` and the loss of the process running the job.
:class:`Snooze` and :class:`Park` are healthy answers, after which counting starts over.
"""

Handler: TypeAlias = Callable[[Claim], Awaitable[Sequence[Outcome]]]
"""Does the jobs of one claim and answers one outcome for each, in their order."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How jobs of one kind are run in one process.

    ``batch_size`` jobs at most go to one handler call, of which ``concurrency`` run at once. A call that takes longer
    than ``time_limit`` is cancelled and has failed. A job that failed before is always handed over on its own, so that
    it cannot fail its neighbours again.
    """

    kind: str
    handler: Handler
    batch_size: int = 1
    concurrency: int = 1
    max_attempts: int = 20
    time_limit: timedelta = timedelta(minutes=2)


class Answer(StrEnum):
    """What the queue is told to do with a job it keeps or buries; the words are those of ``answer_jobs`` in SQL."""

    SNOOZE = "snooze"
    PARK = "park"
    RETRY = "retry"
    HAND_BACK = "hand_back"
    BURY = "bury"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One row for ``answer_jobs``: the delay of a wait, the class and reason of a burial, the reason of a wait."""

    job_id: int
    answer: Answer
    delay: timedelta = timedelta(0)
    reason_class: str = ""
    reason: str = ""


def backoff(attempt: int, jitter: float) -> timedelta:
    """How long to wait after the given failed attempt (from 1), with full jitter: ``jitter`` is in [0, 1).

    The ceiling doubles with each attempt up to :data:`LONGEST_BACKOFF`; anything below it is equally likely, so that
    jobs which failed together do not come back together.
    """
    doublings = min(attempt - 1, 30)  # beyond any ceiling, and far from overflowing a timedelta
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * (1 << doublings)) * jitter


def acknowledge(
    job: Job, outcome: Snooze | Park | Retry | Bury | HandBack, max_attempts: int, jitter: float
) -> Acknowledgement:
    """What the queue must be told when a job ends unfinished. The last allowed failure buries it as exhausted."""
    match outcome:
        case Snooze(delay):
            return Acknowledgement(job.id, Answer.SNOOZE, delay)
        case Park(reason):
            return Acknowledgement(job.id, Answer.PARK, reason=storable(reason))
        case HandBack(delay):
            return Acknowledgement(job.id, Answer.HAND_BACK, delay)
        case Bury(reason_class, reason):
            return Acknowledgement(job.id, Answer.BURY, reason_class=storable(reason_class), reason=storable(reason))
        case Retry(error) if job.attempt >= max_attempts:
            return Acknowledgement(job.id, Answer.BURY, reason_class=EXHAUSTED, reason=storable(error))
        case Retry(error):
            return Acknowledgement(job.id, Answer.RETRY, backoff(job.attempt, jitter), reason=storable(error))
        case _:
            assert_never(outcome)


def batches(jobs: Iterable[Job], size: int) -> list[tuple[Job, ...]]:
    """The jobs in portions of at most ``size`` for one handler call each; whoever failed before goes alone."""
    fresh: list[Job] = []
    alone: list[tuple[Job, ...]] = []
    for job in jobs:
        if job.attempt == 1:
            fresh.append(job)
        else:
            alone.append((job,))
    return [tuple(fresh[start : start + size]) for start in range(0, len(fresh), size)] + alone


def storable(text: str) -> str:
    """The text as PostgreSQL takes it: without NUL and lone surrogates, and not longer than :data:`REASON_LENGTH`."""
    return text[:REASON_LENGTH].replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
