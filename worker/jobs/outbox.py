"""Results not yet written to the queue. They survive a database that is away, and nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from worker.jobs.attempt import Result
from worker.jobs.job import Acknowledgement, Bury, Done, HandBack, Job, Park, Retry, Settled, Snooze, acknowledge


@dataclass(frozen=True, slots=True)
class Parcel:
    """The results one pump takes along."""

    done: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    answers: list[Acknowledgement] = field(default_factory=list)

    def job_ids(self) -> list[int]:
        """Every job in the parcel."""
        return [*self.done, *self.settled, *(answer.job_id for answer in self.answers)]


class Outbox:
    """Collects results while a pump is under way; the next pump takes them all."""

    def __init__(self, draw_jitter: Callable[[], float]) -> None:
        self._draw_jitter = draw_jitter
        self._open = Parcel()
        self._sent: Parcel | None = None

    def __bool__(self) -> bool:
        return bool(self._open.done or self._open.settled or self._open.answers)

    def put(self, job: Job, result: Result, max_attempts: int) -> Acknowledgement | None:
        """Keep one job's result; returns what is asked of the queue unless the job is simply finished."""
        match result:
            case Done():
                self._open.done.append(job.id)
            case Settled():
                self._open.settled.append(job.id)
            case Snooze() | Park() | Retry() | Bury() | HandBack():
                acknowledgement = acknowledge(job, result, max_attempts, self._draw_jitter())
                self._open.answers.append(acknowledgement)
                return acknowledgement
            case _:
                assert_never(result)
        return None

    def take(self) -> Parcel:
        """All results so far, to be confirmed by :meth:`written` or returned by :meth:`not_written`."""
        self._sent, self._open = self._open, Parcel()
        return self._sent

    def written(self) -> None:
        """The parcel taken last reached the queue."""
        self._sent = None

    def not_written(self) -> None:
        """Whether the parcel taken last reached the queue is unknown: writing it again does no harm."""
        if self._sent is not None:
            self._open.done[:0] = self._sent.done
            self._open.settled[:0] = self._sent.settled
            self._open.answers[:0] = self._sent.answers
            self._sent = None

    def clear(self) -> None:
        """Forget everything: the jobs belong to others now."""
        self._open = Parcel()
        self._sent = None

    def job_ids(self) -> list[int]:
        """Every job whose result is still here."""
        return self._open.job_ids() + ([] if self._sent is None else self._sent.job_ids())
