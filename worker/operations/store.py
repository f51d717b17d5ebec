"""Reads across the stations' tables, one function per statement. Only a correction and what it closes are written here.

Lists come in two steps: ``find_*`` answers the keys of one page, newest first and one more than asked for, by way of
whichever index fits the filter; ``load_*`` reads what is shown of them. Run both in one transaction opened with
:func:`begin_reading`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from worker.database import Connection, query
from worker.ledger.book import midnight
from worker.operations.views import (
    DeadLetter,
    DeadLetterFilter,
    Event,
    EventFilter,
    EventState,
    Job,
    JobAbout,
    JobCondition,
    JobFilter,
    Page,
    Saga,
    SagaFilter,
    Step,
    StepAttempt,
)
from worker.writeback.classify import Refusal, Responsible
from worker.writeback.movement import read_movement
from worker.writeback.plan import Purpose, StepKind
from worker.writeback.situation import SagaKind, SagaState, UnknownCause, WaitingFor
from worker.writeback.step import StepState


async def begin_reading(connection: Connection) -> None:
    """Have this transaction's statements planned for their own values: most filters are left out most of the time."""
    await connection.execute(query("operations/begin_reading"))


async def find_events(connection: Connection, which: EventFilter, page: Page[int]) -> list[int]:
    """Loan events by the ids of their messages."""
    name = f"operations/find_events_{which.state or 'any'}"
    return _ids(await connection.fetch(query(name), which.loan_id, page.after, page.and_one_more))


async def load_events(connection: Connection, message_ids: Sequence[int]) -> list[Event]:
    """Those of the loan events that exist, newest first."""
    rows = await connection.fetch(query("operations/load_events"), list(message_ids))
    return [Event(**{**row, "state": EventState(row["state"]), "needs": tuple(row["needs"])}) for row in rows]


async def find_sagas(connection: Connection, which: SagaFilter, page: Page[int]) -> list[int]:
    """Sagas by their ids."""
    return _ids(
        await connection.fetch(
            query("operations/find_sagas"),
            which.loan_id,
            which.state,
            which.waiting_for,
            page.after,
            page.and_one_more,
        )
    )


async def load_sagas(connection: Connection, saga_ids: Sequence[int]) -> list[Saga]:
    """Those of the sagas that exist, newest first."""
    return [_saga(row) for row in await connection.fetch(query("operations/load_sagas"), list(saga_ids))]


async def load_steps(connection: Connection, saga_id: int) -> list[Step]:
    """A saga's steps in the order they are written."""
    return [_step(row) for row in await connection.fetch(query("operations/load_steps"), saga_id)]


async def load_step_attempts(connection: Connection, saga_id: int) -> list[StepAttempt]:
    """The history of all steps of a saga, oldest first."""
    return [StepAttempt(**row) for row in await connection.fetch(query("operations/load_step_attempts"), saga_id)]


async def find_loans(connection: Connection, page: Page[str]) -> list[str]:
    """Loans by their ids, in the order of these."""
    rows = await connection.fetch(query("operations/find_loans"), page.after, page.and_one_more)
    return [row["loan_id"] for row in rows]


async def find_jobs(connection: Connection, which: JobFilter, page: Page[int]) -> list[int]:
    """Unfinished jobs by their ids."""
    name = query("operations/find_jobs")
    return _ids(await connection.fetch(name, which.kind, which.state, page.after, page.and_one_more))


async def load_jobs(connection: Connection, job_ids: Sequence[int]) -> list[Job]:
    """Those of the jobs that are unfinished, newest first."""
    return [_job(row) for row in await connection.fetch(query("operations/load_jobs"), list(job_ids))]


async def find_dead_letters(connection: Connection, which: DeadLetterFilter, page: Page[int]) -> list[int]:
    """Dead letters nobody replayed yet, by their ids."""
    name = query("operations/find_dead_letters")
    return _ids(await connection.fetch(name, which.kind, which.loan_id, page.after, page.and_one_more))


async def load_dead_letters(connection: Connection, dead_letter_ids: Sequence[int]) -> list[DeadLetter]:
    """Those of the dead letters that exist, replayed or not, newest first."""
    rows = await connection.fetch(query("operations/load_dead_letters"), list(dead_letter_ids))
    return [_dead_letter(row) for row in rows]


async def dead_letter_of_job(connection: Connection, job_id: int) -> int:
    """The dead letter a job became, which must have been buried."""
    dead_letter_id: int = await connection.fetchval(query("operations/dead_letter_of_job"), job_id)
    return dead_letter_id


async def lock_dead_letters(connection: Connection, kind: str, subject: int) -> None:
    """Have everybody else who wants to close one of these dead letters wait until this transaction has ended."""
    await connection.execute(query("operations/lock_dead_letters"), kind, subject)


async def keep_correction(connection: Connection, message_id: int, corrects: int) -> None:
    """Keep that one message corrects another, which nothing corrected before."""
    await connection.execute(query("operations/keep_correction"), message_id, corrects)


async def answer_dead_letter(connection: Connection, dead_letter_id: int, kind: str, subject: int) -> bool:
    """Close a dead letter with the job queued in its stead; false when it is closed already."""
    name = query("operations/answer_dead_letter")
    return await connection.fetchval(name, dead_letter_id, kind, subject) is not None


async def count_statement_entries(
    connection: Connection, account_ids: Sequence[UUID], period: tuple[date, date], at_most: int
) -> int:
    """Entries of accounts effective from the first to the last business day, counted no further than ``at_most``."""
    start, end = midnight(period[0]), midnight(period[1] + timedelta(days=1))
    name = query("operations/count_statement_entries")
    entries: int = await connection.fetchval(name, list(account_ids), start, end, at_most)
    return entries


async def oldest_snapshot_age(connection: Connection) -> float:
    """Seconds since the oldest snapshot anybody else holds in this database was taken; 0 when nobody holds one."""
    age: float = await connection.fetchval(query("operations/oldest_snapshot_age"))
    return age


def _ids(rows: Sequence[asyncpg.Record]) -> list[int]:
    return [row["id"] for row in rows]


def _saga(row: asyncpg.Record) -> Saga:
    read = {
        "kind": SagaKind(row["kind"]),
        "movement": read_movement(json.loads(row["movement"])) if row["movement"] else None,
        "state": SagaState(row["state"]),
        "waiting_for": WaitingFor(row["waiting_for"]) if row["waiting_for"] else None,
    }
    return Saga(**{**row, **read})


def _step(row: asyncpg.Record) -> Step:
    refusal = json.loads(row["refusal"]) if row["refusal"] else None
    read = {
        "kind": StepKind(row["kind"]),
        "purpose": Purpose(row["purpose"]),
        "state": StepState(row["state"]),
        "refusal": Refusal(Responsible(refusal["responsible"]), refusal["words"], refusal["field"])
        if refusal
        else None,
        "unknown_cause": UnknownCause(row["unknown_cause"]) if row["unknown_cause"] else None,
    }
    return Step(**{**row, **read})


def _job(row: asyncpg.Record) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        about=_about(row),
        state=JobCondition(row["state"]),
        attempt=row["attempt"],
        run_at=row["run_at"],
        created_at=row["created_at"],
        reason=row["reason"],
        blocked_by=row["blocked_by"],
        worker=row["worker"],
    )


def _dead_letter(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        job_id=row["job_id"],
        kind=row["kind"],
        about=_about(row),
        attempt=row["attempt"],
        created_at=row["created_at"],
        reason_class=row["reason_class"],
        reason=row["reason"],
        buried_at=row["buried_at"],
        replayed_at=row["replayed_at"],
        replayed_job_id=row["replayed_job_id"],
    )


def _about(row: asyncpg.Record) -> JobAbout:
    return JobAbout(row["event_id"], row["saga_id"], row["loan_id"])
