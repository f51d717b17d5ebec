"""``/v1`` of the operations in the document: loan events, loans, sagas, jobs and dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from worker.openapi.document import Operation, Part
from worker.openapi.loan_events import loan_event
from worker.openapi.operator import (
    PAGING,
    PAGING_BY_NAME,
    SECURITY,
    SENTENCES,
    choice,
    deciding,
    named,
    numbered,
    page,
    reading,
    text,
)
from worker.openapi.problem_responses import problem_responses, problems
from worker.openapi.schemas import Schema, Schemas
from worker.operations import views
from worker.operations.shapes import (
    DeadLetterObject,
    DeadLetterWithAttempts,
    JobObject,
    JobWithAttempts,
    LoanObject,
    LoanWithSagas,
    RecordedEvent,
    RecordedEventWithBody,
    SagaObject,
    SagaWithSteps,
)
from worker.writeback.situation import SagaState, WaitingFor

REASON: Final[Schema] = {"type": "object", "properties": {"reason": SENTENCES}, "required": ["reason"]}
"""What a person has to say for giving something up."""


def operations_part(schemas: Schemas) -> Part:
    """What operators see and decide."""
    return Part(
        operations=[
            *_loan_events(schemas),
            *_loans(schemas),
            *_sagas(schemas),
            *_jobs(schemas),
        ],
        tags={
            "LoanEvents": "Loan events, and what became of them.",
            "Loans": "Loans, as the loan system's events made them.",
            "Sagas": "What is written to the borrowers' books.",
            "Jobs": "Work that is not finished.",
            "DeadLetters": "Work that was given up until a person decides.",
        },
        security={SECURITY: {"type": "http", "scheme": "bearer"}},
        responses=problem_responses(schemas),
    )


def _loan_events(schemas: Schemas) -> Iterator[Operation]:
    place = named("webhook_id")
    event = schemas.of(RecordedEvent)
    filters = [text("loan_id"), choice("state", views.EventState, schemas), *PAGING]
    pages = page(schemas, "RecordedEvents", event)
    yield reading("/v1/events", "LoanEvents.list", "Loan events, newest first.", pages, filters, 400)
    one = schemas.of(RecordedEventWithBody)
    yield reading("/v1/events/{webhook_id}", "LoanEvents.retrieve", "A loan event with its body.", one, [place], 404)
    path = "/v1/events/{webhook_id}/"
    replay = "Have a refused event decided once more."
    yield deciding(f"{path}replay", "LoanEvents.replay", replay, {202: event}, place)
    bury = "Give up a held event that waits for what will never come."
    yield deciding(f"{path}bury", "LoanEvents.bury", bury, {200: event}, place, REASON)
    correct = "Have another event decided in place of a refused one."
    answers = {202: event, 200: event}
    correction = deciding(f"{path}correct", "LoanEvents.correct", correct, answers, place, loan_event(schemas))
    yield replace(correction, responses={**correction.responses, **problems(422)})


def _loans(schemas: Schemas) -> Iterator[Operation]:
    pages = page(schemas, "Loans", schemas.of(LoanObject))
    yield reading("/v1/loans", "Loans.list", "Loans, in the order of their ids.", pages, PAGING_BY_NAME, 400)
    one = schemas.of(LoanWithSagas)
    summary = "A loan with its newest held events and sagas."
    yield reading("/v1/loans/{loan_id}", "Loans.retrieve", summary, one, [named("loan_id")], 404)


def _sagas(schemas: Schemas) -> Iterator[Operation]:
    filters = [
        text("loan_id"),
        choice("state", SagaState, schemas),
        choice("waiting_for", WaitingFor, schemas),
        *PAGING,
    ]
    pages = page(schemas, "Sagas", schemas.of(SagaObject))
    yield reading("/v1/sagas", "Sagas.list", "Sagas, newest first.", pages, filters, 400)
    summary = "A saga with its steps, each with its history."
    one = schemas.of(SagaWithSteps)
    yield reading("/v1/sagas/{saga_id}", "Sagas.retrieve", summary, one, [numbered("saga_id")], 404)


def _jobs(schemas: Schemas) -> Iterator[Operation]:
    place, whole = numbered("job_id"), schemas.of(JobWithAttempts)
    pages = page(schemas, "Jobs", schemas.of(JobObject))
    filters = [text("kind"), choice("state", views.JobCondition, schemas), *PAGING]
    yield reading("/v1/jobs", "Jobs.list", "Unfinished jobs, newest first.", pages, filters, 400)
    summary = "An unfinished job with its failed attempts."
    yield reading("/v1/jobs/{job_id}", "Jobs.retrieve", summary, whole, [place], 404)
    yield deciding("/v1/jobs/{job_id}/retry", "Jobs.retry", "Run a waiting job now.", {202: whole}, place)
    bury, letter = "Give a job up, so that its lane goes on.", {200: schemas.of(DeadLetterWithAttempts)}
    yield deciding("/v1/jobs/{job_id}/bury", "Jobs.bury", bury, letter, place, REASON)
    yield from _dead_letters(schemas)


def _dead_letters(schemas: Schemas) -> Iterator[Operation]:
    place, whole = numbered("dead_letter_id"), schemas.of(DeadLetterWithAttempts)
    pages = page(schemas, "DeadLetters", schemas.of(DeadLetterObject))
    filters = [text("kind"), text("loan_id"), *PAGING]
    summary = "Dead letters nobody replayed yet, newest first."
    yield reading("/v1/dead-letters", "DeadLetters.list", summary, pages, filters, 400)
    path = "/v1/dead-letters/{dead_letter_id}"
    yield reading(path, "DeadLetters.retrieve", "A dead letter.", whole, [place], 404)
    summary = "Queue the job of a dead letter once more."
    yield deciding(f"{path}/replay", "DeadLetters.replay", summary, {202: whole}, place)
