"""What becomes of a job after each answer of its handler, and after a handler that gives none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from tests.jobs.conftest import Eventually, Working
from worker.database import Connection, Database
from worker.jobs import store
from worker.jobs.hints import Hints
from worker.jobs.job import (
    Acknowledgement,
    Answer,
    Claim,
    Done,
    Job,
    NewJob,
    Outcome,
    Park,
    Registration,
    Retry,
    Settled,
    Snooze,
)
from worker.jobs.runner import Runner
from worker.jobs.store import DeadLetter, JobState, Pump

WORKER = 1_001
FOR_EVER = timedelta(days=1)


class Queue:
    """The store as one worker uses it, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.session = 0

    async def claim(self) -> list[Job]:
        return await store.pump(self.connection, Pump(WORKER, self.session, wants={"saga": 10}, look_for_due=True))

    async def answer(self, *answers: Acknowledgement) -> None:
        await store.pump(self.connection, Pump(WORKER, self.session, answers=answers))

    async def job(self, job_id: int) -> store.StoredJob:
        job = await store.get_job(self.connection, job_id)
        assert job is not None
        return job


@pytest.fixture
async def queue(database: Database) -> AsyncIterator[Queue]:
    async with database.connection() as connection:
        queue = Queue(connection)
        await store.register_worker(connection, WORKER, "test")
        queue.session = await store.begin_session(connection, WORKER, []) or 0
        yield queue


@pytest.fixture
async def job_id(queue: Queue) -> int:
    """A job for subject 7."""
    [job_id] = await store.enqueue_jobs(queue.connection, [NewJob("saga", 1, 7)])
    return job_id


async def test_a_parked_job_starts_only_after_it_is_woken(queue: Queue, job_id: int) -> None:
    await queue.claim()
    await queue.answer(Acknowledgement(job_id, Answer.PARK, reason="the mapping"))
    assert await queue.claim() == []
    parked = await queue.job(job_id)
    assert (parked.state, parked.run_at, parked.reason) == (JobState.WAITING, None, "the mapping")
    await store.wake_jobs(queue.connection, "saga", [7])
    assert [job.id for job in await queue.claim()] == [job_id]


@pytest.mark.parametrize("wait", [Answer.PARK, Answer.SNOOZE])
async def test_a_job_woken_while_it_runs_is_ready_as_soon_as_it_wants_to_wait(
    queue: Queue, job_id: int, wait: Answer
) -> None:
    await queue.claim()
    await store.wake_jobs(queue.connection, "saga", [7])
    await queue.answer(Acknowledgement(job_id, wait, FOR_EVER))
    assert [job.id for job in await queue.claim()] == [job_id]
    await queue.answer(Acknowledgement(job_id, wait, FOR_EVER))
    assert await queue.claim() == []


async def test_a_snoozing_or_retrying_job_is_woken_too(queue: Queue, job_id: int) -> None:
    for wait in (Answer.SNOOZE, Answer.RETRY):
        assert [job.id for job in await queue.claim()] == [job_id]
        await queue.answer(Acknowledgement(job_id, wait, FOR_EVER))
        await store.wake_jobs(queue.connection, "saga", [7])


async def test_a_wake_up_not_yet_committed_keeps_a_ready_job_from_starting_too_early(
    database: Database, queue: Queue, job_id: int
) -> None:
    await queue.claim()
    await queue.answer(Acknowledgement(job_id, Answer.SNOOZE))
    await store.pump(queue.connection, Pump(WORKER, queue.session, look_for_due=True))
    assert (await queue.job(job_id)).state is JobState.READY
    async with database.transaction() as waking:
        await store.wake_jobs(waking, "saga", [7])
        assert await queue.claim() == []
    assert [job.id for job in await queue.claim()] == [job_id]


async def test_waking_touches_neither_other_kinds_nor_jobs_that_never_began(queue: Queue, job_id: int) -> None:
    [other, _blocked] = await store.enqueue_jobs(queue.connection, [NewJob("other", 2, 7), NewJob("saga", 1, 7)])
    await store.pump(queue.connection, Pump(WORKER, queue.session, wants={"other": 1}))
    await queue.answer(Acknowledgement(other, Answer.PARK))
    before = await store.list_jobs(queue.connection)
    await store.wake_jobs(queue.connection, "saga", [7])
    assert await store.list_jobs(queue.connection) == before


async def test_a_person_makes_a_waiting_job_ready_but_not_a_running_one(queue: Queue, job_id: int) -> None:
    await queue.claim()
    assert not await store.retry_job(queue.connection, job_id)
    await queue.answer(Acknowledgement(job_id, Answer.RETRY, FOR_EVER, reason="503"))
    assert await store.retry_job(queue.connection, job_id)
    assert [job.id for job in await queue.claim()] == [job_id]


async def test_a_person_buries_an_idle_job_but_not_a_running_one(queue: Queue, job_id: int) -> None:
    [behind] = await store.enqueue_jobs(queue.connection, [NewJob("saga", 1, 8)])
    await queue.claim()
    assert not await store.bury_job(queue.connection, job_id, "operator", "not needed")
    await queue.answer(Acknowledgement(job_id, Answer.PARK))
    assert await store.bury_job(queue.connection, job_id, "operator", "not needed")
    assert not await store.bury_job(queue.connection, job_id, "operator", "not needed")
    assert [job.id for job in await queue.claim()] == [behind]


async def test_a_job_is_finished_with_its_handlers_transaction_or_not_at_all(queue: Queue, job_id: int) -> None:
    await queue.claim()
    transaction = queue.connection.transaction()
    await transaction.start()
    assert await store.finish_jobs(queue.connection, WORKER, [job_id]) == {job_id}
    await transaction.rollback()
    await store.pump(queue.connection, Pump(WORKER, queue.session, settled=[job_id]))
    assert [(job.id, job.attempt) for job in await queue.claim()] == [(job_id, 2)]

    assert await store.finish_jobs(queue.connection, WORKER, [job_id]) == {job_id}
    assert await store.finish_jobs(queue.connection, WORKER, [job_id]) == set()
    await store.pump(queue.connection, Pump(WORKER, queue.session, settled=[job_id]))
    assert await store.get_job(queue.connection, job_id) is None


async def test_a_handler_that_fails_after_its_transaction_settled_the_job_has_finished_it(
    queue: Queue, job_id: int
) -> None:
    await queue.claim()
    await store.finish_jobs(queue.connection, WORKER, [job_id])
    await queue.answer(Acknowledgement(job_id, Answer.RETRY, reason="too late"))
    assert await store.get_job(queue.connection, job_id) is None
    assert await store.list_attempts(queue.connection, job_id) == []


async def test_counting_starts_over_after_a_healthy_answer(queue: Queue, job_id: int) -> None:
    counted = []
    for answer in (Answer.RETRY, Answer.RETRY, Answer.SNOOZE, Answer.RETRY, Answer.HAND_BACK, Answer.RETRY):
        [job] = await queue.claim()
        counted.append(job.attempt)
        await queue.answer(Acknowledgement(job_id, answer, reason="because"))
    assert counted == [1, 2, 3, 1, 2, 2]
    assert len(await store.list_attempts(queue.connection, job_id)) == 4


async def buried(queue: Queue, subjects: int) -> list[DeadLetter]:
    ids = await store.enqueue_jobs(queue.connection, [NewJob("saga", 1, subject) for subject in range(subjects)])
    for job_id in ids:
        assert [job.id for job in await queue.claim()] == [job_id]
        await queue.answer(Acknowledgement(job_id, Answer.RETRY, reason="first"))
        await queue.claim()
        await queue.answer(Acknowledgement(job_id, Answer.BURY, reason_class="validation", reason="second"))
    return await store.list_dead_letters(queue.connection)


async def test_a_dead_letter_keeps_its_reason_and_every_attempt(queue: Queue) -> None:
    [letter] = await buried(queue, 1)
    assert (letter.kind, letter.lane, letter.subject, letter.attempt) == ("saga", 1, 0, 2)
    assert (letter.reason_class, letter.reason) == ("validation", "second")
    history = await store.list_attempts(queue.connection, letter.job_id)
    assert [(a.attempt, a.outcome, a.error) for a in history] == [(1, "failed", "first"), (2, "buried", "second")]


async def test_replaying_enqueues_the_job_once_with_its_history_however_often_it_is_asked(queue: Queue) -> None:
    [letter] = await buried(queue, 1)
    job_id = await store.replay_dead_letter(queue.connection, letter.id)
    assert job_id is not None
    assert await store.replay_dead_letter(queue.connection, letter.id) is None
    assert [(job.id, job.subject, job.attempt) for job in await queue.claim()] == [(job_id, letter.subject, 1)]
    assert await store.list_dead_letters(queue.connection) == []
    replayed = await store.get_dead_letter(queue.connection, letter.id)
    assert replayed is not None
    assert replayed.replayed_job_id == job_id

    await queue.answer(Acknowledgement(job_id, Answer.BURY, reason_class="validation", reason="third"))
    assert [a.error for a in await store.list_attempts(queue.connection, job_id)] == ["first", "second", "third"]


async def test_two_replays_at_once_enqueue_one_job(database: Database, queue: Queue) -> None:
    [letter] = await buried(queue, 1)

    async def replay() -> int | None:
        async with database.transaction() as connection:
            return await store.replay_dead_letter(connection, letter.id)

    replays = await asyncio.gather(*(replay() for _ in range(5)))
    assert [job.id for job in await store.list_jobs(queue.connection)] == [job_id for job_id in replays if job_id]


async def test_replaying_in_bulk_keeps_the_order_of_a_lane(queue: Queue) -> None:
    for letter in await buried(queue, 5):
        await store.replay_dead_letter(queue.connection, letter.id)
    assert [job.subject for job in await store.list_jobs(queue.connection)] == [0, 1, 2, 3, 4]


async def test_depth_and_age_are_counted_by_kind_condition_and_class(queue: Queue) -> None:
    await buried(queue, 1)
    jobs = [("saga", 1), ("saga", 1), ("saga", 2), ("saga", 3), ("other", 4)]
    ids = await store.enqueue_jobs(queue.connection, [NewJob(kind, lane, 0) for kind, lane in jobs])
    await queue.claim()
    await queue.answer(Acknowledgement(ids[0], Answer.PARK), Acknowledgement(ids[2], Answer.SNOOZE, FOR_EVER))
    counts = await store.count_jobs(queue.connection)
    assert {(count.kind, count.condition): count.jobs for count in counts} == {
        ("other", "ready"): 1,
        ("saga", "blocked"): 1,
        ("saga", "delayed"): 1,
        ("saga", "parked"): 1,
        ("saga", "running"): 1,
    }
    assert all(count.oldest_seconds >= 0 for count in counts)
    [letters] = await store.count_dead_letters(queue.connection)
    assert (letters.reason_class, letters.letters) == ("validation", 1)


async def test_old_history_is_forgotten_unless_a_dead_letter_needs_it(queue: Queue, job_id: int) -> None:
    await queue.claim()
    await queue.answer(Acknowledgement(job_id, Answer.RETRY, reason="once"))
    await queue.claim()
    assert await store.prune_attempts(queue.connection, timedelta(0)) == 0
    await store.pump(queue.connection, Pump(WORKER, queue.session, done=[job_id]))
    [letter] = await buried(queue, 1)
    assert await store.prune_attempts(queue.connection, timedelta(0)) == 1
    assert len(await store.list_attempts(queue.connection, letter.job_id)) == 2


def raises(_: Claim) -> list[Outcome]:
    raise RuntimeError("broken")


def cancels_itself(_: Claim) -> list[Outcome]:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("misbehave", "error"),
    [
        (raises, "an unforeseen error, see job_failed in the log: broken"),
        (cancels_itself, "the handler cancelled itself"),
        (lambda _: [], "the handler answered no outcome for each job"),
        (lambda _: ["done"], "the handler answered no outcome for each job"),
        (lambda _: None, "the handler answered no outcome for each job"),
        (None, "gave no answer within 0.05 s"),
    ],
)
async def test_a_poison_job_is_buried_with_its_history_while_other_lanes_go_on(
    database: Database,
    working: Working,
    eventually: Eventually,
    misbehave: Callable[[Claim], list[Outcome]] | None,
    error: str,
) -> None:
    done: list[int] = []

    async def handler(claim: Claim) -> list[Outcome]:
        if claim.jobs[0].lane == 1:
            return misbehave(claim) if misbehave else await asyncio.get_running_loop().create_future()
        done.extend(job.subject for job in claim.jobs)
        return [Done()] * len(claim.jobs)

    async def all_is_over() -> bool:
        async with database.connection() as connection:
            await connection.execute("update jobs set run_at = now() where state = 3")  # no need to wait that long
            return await store.list_jobs(connection) == []

    async with database.connection() as connection:
        await store.enqueue_jobs(connection, [NewJob("work", 1, 0), NewJob("work", 2, 1), NewJob("work", 2, 2)])
    poisoned = Registration("work", handler, concurrency=2, max_attempts=3, time_limit=timedelta(milliseconds=50))
    async with working(poisoned):
        await eventually(all_is_over)
    async with database.connection() as connection:
        [letter] = await store.list_dead_letters(connection)
        history = await store.list_attempts(connection, letter.job_id)
    assert done == [1, 2]
    assert (letter.subject, letter.reason_class, letter.reason) == (0, "exhausted", error)
    assert [(attempt.outcome, attempt.error) for attempt in history] == [("failed", error)] * 2 + [("buried", error)]


async def test_running_once_claims_runs_and_records(database: Database) -> None:
    async def handler(claim: Claim) -> list[Outcome]:
        async with database.transaction() as connection:
            await store.finish_jobs(connection, claim.worker_id, [claim.jobs[2].id])
        return [Done(), Retry("later"), Settled(), Snooze(FOR_EVER), Park("for good")]

    async with database.connection() as connection:
        ids = await store.enqueue_jobs(connection, [NewJob("work", lane, lane) for lane in range(5)])
        runner = Runner(database, [Registration("work", handler, batch_size=5)], Hints(database))
        assert await runner.run_once() == 5
        assert [job.id for job in await store.list_jobs(connection)] == [ids[1], ids[3], ids[4]]
