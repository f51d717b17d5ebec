"""What a person may do with an event, a job or a dead letter. Sagas have an operator of their own.

Each is one transaction, and answers what it changed as the reader shows it. Idle workers look by themselves within a
second; ``nudge`` makes them look at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from worker.database import Connection, Database
from worker.errors import Bug, Rejected
from worker.inbox import store as inbox_store
from worker.inbox.messages import APPLY_EVENT, Source
from worker.inbox.store import Conflict, Duplicate, Recorded
from worker.jobs import store as jobs_store
from worker.jobs.job import NewJob, lane
from worker.loans import store as loans_store
from worker.operations import store
from worker.operations.correction import read_correction
from worker.operations.documents import event_document
from worker.operations.reader import missing, read_dead_letter, read_job
from worker.operations.shapes import DeadLetterWithAttempts, JobWithAttempts, RecordedEvent
from worker.operations.views import Event, EventState, Job, JobCondition

CONFLICT: Final = 409
"""What is asked for exists, but is in no state for it."""

BURIED_BY_PERSON: Final = "buried_by_person"
"""Reason class of a dead letter that a person made."""

log = structlog.get_logger(__name__)


CORRECTABLE: Final = (EventState.REFUSED, EventState.DEAD_LETTER, EventState.CORRECTED)
"""Where an event may be corrected; once it was, only the same correction is taken, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The event that is decided in place of another. ``repeated``: it had been sent before, and nothing was done."""

    event: RecordedEvent
    repeated: bool


class Control:
    """A person's decisions. All raise :class:`~worker.errors.Rejected`: 404 for what is not there, 409 for a state."""

    def __init__(self, database: Database, nudge: Callable[[], None]) -> None:
        self._database = database
        self._nudge = nudge

    async def replay_event(self, webhook_id: str) -> RecordedEvent:
        """Have a refused or given-up event decided once more; the event, queued again."""
        async with self._database.transaction() as connection:
            message = await inbox_store.find_message(connection, Source.LOANS, webhook_id)
            if message is None:
                raise missing("event", webhook_id)
            (event,) = await store.load_events(connection, [message.id])
            if event.dead_letter_id is None:
                raise _conflict(f"event {webhook_id} is {event.state}; only a refused event can be replayed")
            await _replay(connection, event.dead_letter_id)
            (event,) = await store.load_events(connection, [message.id])
        self._tell("event replayed", event_id=webhook_id)
        return event_document(event)

    async def correct_event(self, webhook_id: str, body: bytes) -> Correction:
        """Have another event decided in place of a refused or given-up one, which no longer waits for anybody.

        Raises :class:`~worker.errors.Rejected` also for a body that is no event (400, 422) or about another loan (422).
        """
        async with self._database.transaction() as connection:
            message = await inbox_store.find_message(connection, Source.LOANS, webhook_id)
            if message is None:
                raise missing("event", webhook_id)
            await store.lock_dead_letters(connection, APPLY_EVENT, message.id)
            (event,) = await store.load_events(connection, [message.id])
            if event.state not in CORRECTABLE:
                raise _conflict(f"event {webhook_id} is {event.state}; only a refused event can be corrected")
            correction = read_correction(webhook_id, message.loan_id, body)
            (verdict,) = await inbox_store.record_messages(connection, [correction])
            match verdict:
                case Recorded():
                    await _put_in_place(connection, event, verdict.message_id)
                case Duplicate():
                    pass
                case Conflict():
                    raise _conflict(f"event {webhook_id} was corrected otherwise before, by {event.corrected_by}")
                case _:
                    assert_never(verdict)
            (answer,) = await store.load_events(connection, [verdict.message_id])
        repeated = isinstance(verdict, Duplicate)
        if not repeated:
            self._tell("event corrected", event_id=webhook_id, corrected_by=answer.webhook_id)
        return Correction(event_document(answer), repeated)

    async def bury_event(self, webhook_id: str, reason: str) -> RecordedEvent:
        """Give a held event up that waits for what will never come; the event, a dead letter that can be replayed."""
        async with self._database.transaction() as connection:
            message = await inbox_store.find_message(connection, Source.LOANS, webhook_id)
            if message is None:
                raise missing("event", webhook_id)
            subject = await loans_store.end_wait(connection, message.id)
            if subject is None:
                (event,) = await store.load_events(connection, [message.id])
                raise _conflict(f"event {webhook_id} is {event.state}; only a held event can be given up")
            job = NewJob(APPLY_EVENT, lane(subject.kind.value, subject.id), message.id)
            (job_id,) = await jobs_store.enqueue_jobs(connection, [job])
            await jobs_store.bury_job(connection, job_id, BURIED_BY_PERSON, reason)
            (event,) = await store.load_events(connection, [message.id])
        self._tell("event buried", event_id=webhook_id)
        return event_document(event)

    async def retry_job(self, job_id: int) -> JobWithAttempts:
        """Run a waiting job now; the job, ready."""
        async with self._database.transaction() as connection:
            job = await _get_job(connection, job_id)
            if not await jobs_store.retry_job(connection, job_id):
                raise _conflict(f"job {job_id} is {job.state}; only one that waits can be made to run now")
            document = await read_job(connection, job_id)
        self._tell("job retried", job_id=job_id)
        return document

    async def bury_job(self, job_id: int, reason: str) -> DeadLetterWithAttempts:
        """Give a job up, so that its lane goes on; the dead letter it became."""
        async with self._database.transaction() as connection:
            job = await _get_job(connection, job_id)
            if job.about.saga_id is not None:
                raise _conflict(f"job {job_id} drives saga {job.about.saga_id}: bury the saga instead")
            if not await jobs_store.bury_job(connection, job_id, BURIED_BY_PERSON, reason):
                raise _conflict(f"job {job_id} is {JobCondition.RUNNING}; wait until it has ended")
            document = await read_dead_letter(connection, await store.dead_letter_of_job(connection, job_id))
        self._tell("job buried", job_id=job_id)
        return document

    async def replay_dead_letter(self, dead_letter_id: int) -> DeadLetterWithAttempts:
        """Queue the job of a dead letter once more; the dead letter, naming the new job."""
        async with self._database.transaction() as connection:
            await read_dead_letter(connection, dead_letter_id)
            await _replay(connection, dead_letter_id)
            document = await read_dead_letter(connection, dead_letter_id)
        self._tell("dead letter replayed", dead_letter_id=dead_letter_id)
        return document

    def _tell(self, what: str, **about: str | int) -> None:
        log.info(what, **about)
        self._nudge()


async def _get_job(connection: Connection, job_id: int) -> Job:
    jobs = await store.load_jobs(connection, [job_id])
    if not jobs:
        raise missing("unfinished job", job_id)
    return jobs[0]


async def _replay(connection: Connection, dead_letter_id: int) -> None:
    if await jobs_store.replay_dead_letter(connection, dead_letter_id) is None:
        raise _conflict(f"dead letter {dead_letter_id} was replayed before")


async def _put_in_place(connection: Connection, event: Event, correction_id: int) -> None:
    await store.keep_correction(connection, correction_id, event.id)
    letter = event.dead_letter_id
    if letter is None or not await store.answer_dead_letter(connection, letter, APPLY_EVENT, correction_id):
        raise Bug(f"event {event.webhook_id} could be corrected, but has no open dead letter")


def _conflict(detail: str) -> Rejected:
    return Rejected(CONFLICT, detail, code="conflict")
