"""``/v1`` of the operations in the document: loan events, loans, sagas, jobs and dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final, get_type_hints

from worker.loans.loan import Amounts, Loan
from worker.openapi.document import Operation, Part
from worker.openapi.loan_events import loan_event
from worker.openapi.operator import (
    MONEY,
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
from worker.openapi.schemas import Schema, Schemas, closed, nullable
from worker.operations import views
from worker.operations.documents import LOAN_STATUSES, TERMS
from worker.writeback.classify import Refusal
from worker.writeback.movement import STORED_NAMES
from worker.writeback.situation import SagaState, WaitingFor

REASON: Final[Schema] = {"type": "object", "properties": {"reason": SENTENCES}, "required": ["reason"]}
"""What a person has to say for giving something up."""

_TOTALS: Final = (
    *("disbursed", "interest_recognised", "interest_rebated", "fees_charged", "fees_waived", "refunded", "recovered"),
)
_SPLIT_TOTALS: Final = ("repaid", "reversed", "written_off")


def operations_part(schemas: Schemas) -> Part:
    """What operators see and decide."""
    shown = _Shown(schemas)
    return Part(
        operations=[
            *_loan_events(schemas, shown),
            *_loans(schemas, shown),
            *_sagas(schemas, shown),
            *_jobs(schemas, shown),
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


class _Shown:
    """The documents, as :mod:`worker.operations.documents` makes them."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        define, members = schemas.define, schemas.members
        number, texts = schemas.of(int), schemas.of(str)
        self.event_members = members(views.Event, "id")
        self.event = define("RecordedEvent", closed(self.event_members))
        about = members(views.JobAbout)
        attempts = {"attempts": {"type": "array", "items": define("JobAttempt", closed(members(views.JobAttempt)))}}
        job = {"job_id": number, **about, **members(views.Job, "id", "about")}
        self.job, self.whole_job = define("Job", closed(job)), define("JobWithAttempts", closed({**job, **attempts}))
        letter = {"dead_letter_id": number, **about, **members(views.DeadLetter, "id", "about")}
        self.letter = define("DeadLetter", closed(letter))
        self.whole_letter = define("DeadLetterWithAttempts", closed({**letter, **attempts}))
        saga = {
            "saga_id": number,
            "summary": texts,
            "movement": nullable({"oneOf": list(self._movements())}),
            **members(views.Saga, "id", "movement"),
        }
        self.saga = define("Saga", closed(saga))
        steps = {"type": "array", "items": define("Step", closed(self._step()))}
        self.whole_saga = define("SagaWithSteps", closed({**saga, "steps": steps}))
        self.loan_members = self._loan()
        self.loan = define("Loan", closed(self.loan_members))

    def _movements(self) -> Iterator[Schema]:
        for kind, name in STORED_NAMES.items():
            hints = get_type_hints(kind)
            told = {field.name: MONEY if hints[field.name] is int else {"type": "string"} for field in fields(kind)}
            movement = closed({"type": {"type": "string", "const": name}, **told})
            yield self._schemas.define(kind.__name__, movement)

    def _step(self) -> dict[str, Schema]:
        attempt = closed(self._schemas.members(views.StepAttempt, "step_id"))
        return {
            "step_id": {"type": "integer"},
            **self._schemas.members(views.Step, "id", "refusal"),
            "amount": MONEY,
            "refusal": nullable(self._schemas.of(Refusal)),
            "attempts": {"type": "array", "items": self._schemas.define("StepAttempt", attempt)},
        }

    def _loan(self) -> dict[str, Schema]:
        terms = self._schemas.members(Loan, *(field.name for field in fields(Loan) if field.name not in TERMS))
        split = self._schemas.define("Amounts", closed({field.name: MONEY for field in fields(Amounts)}))
        investor = closed({"investor_id": {"type": "string"}, "share": {"type": "string"}})
        return {
            **terms,
            "investors": {"type": "array", "items": investor},
            "status": {"type": "string", "enum": list(LOAN_STATUSES)},
            "closed_on": {"type": ["string", "null"], "format": "date"},
            "outstanding": split,
            "totals": closed({**dict.fromkeys(_TOTALS, MONEY), **dict.fromkeys(_SPLIT_TOTALS, split)}),
            "pending_repayments": {"type": "integer"},
        }


def _loan_events(schemas: Schemas, shown: _Shown) -> Iterator[Operation]:
    place = named("webhook_id")
    whole = closed({**shown.event_members, "body": {"type": "string", "description": "As it was signed."}})
    filters = [text("loan_id"), choice("state", views.EventState, schemas), *PAGING]
    pages = page(schemas, "RecordedEvents", shown.event)
    yield reading("/v1/events", "LoanEvents.list", "Loan events, newest first.", pages, filters, 400)
    one = schemas.define("RecordedEventWithBody", whole)
    yield reading("/v1/events/{webhook_id}", "LoanEvents.retrieve", "A loan event with its body.", one, [place], 404)
    path = "/v1/events/{webhook_id}/"
    replay = "Have a refused event decided once more."
    yield deciding(f"{path}replay", "LoanEvents.replay", replay, {202: shown.event}, place)
    bury = "Give up a held event that waits for what will never come."
    yield deciding(f"{path}bury", "LoanEvents.bury", bury, {200: shown.event}, place, REASON)
    correct = "Have another event decided in place of a refused one."
    answers = {202: shown.event, 200: shown.event}
    correction = deciding(f"{path}correct", "LoanEvents.correct", correct, answers, place, loan_event(schemas))
    yield replace(correction, responses={**correction.responses, **problems(422)})


def _loans(schemas: Schemas, shown: _Shown) -> Iterator[Operation]:
    pages = page(schemas, "Loans", shown.loan)
    yield reading("/v1/loans", "Loans.list", "Loans, in the order of their ids.", pages, PAGING_BY_NAME, 400)
    lists = {
        "held_events": {"type": "array", "items": shown.event},
        "sagas": {"type": "array", "items": shown.saga},
    }
    one = schemas.define("LoanWithSagas", closed({**shown.loan_members, **lists}))
    summary = "A loan with its newest held events and sagas."
    yield reading("/v1/loans/{loan_id}", "Loans.retrieve", summary, one, [named("loan_id")], 404)


def _sagas(schemas: Schemas, shown: _Shown) -> Iterator[Operation]:
    filters = [
        text("loan_id"),
        choice("state", SagaState, schemas),
        choice("waiting_for", WaitingFor, schemas),
        *PAGING,
    ]
    pages = page(schemas, "Sagas", shown.saga)
    yield reading("/v1/sagas", "Sagas.list", "Sagas, newest first.", pages, filters, 400)
    summary = "A saga with its steps, each with its history."
    yield reading("/v1/sagas/{saga_id}", "Sagas.retrieve", summary, shown.whole_saga, [numbered("saga_id")], 404)


def _jobs(schemas: Schemas, shown: _Shown) -> Iterator[Operation]:
    place, pages = numbered("job_id"), page(schemas, "Jobs", shown.job)
    filters = [text("kind"), choice("state", views.JobCondition, schemas), *PAGING]
    yield reading("/v1/jobs", "Jobs.list", "Unfinished jobs, newest first.", pages, filters, 400)
    summary = "An unfinished job with its failed attempts."
    yield reading("/v1/jobs/{job_id}", "Jobs.retrieve", summary, shown.whole_job, [place], 404)
    yield deciding("/v1/jobs/{job_id}/retry", "Jobs.retry", "Run a waiting job now.", {202: shown.whole_job}, place)
    bury, letter = "Give a job up, so that its lane goes on.", {200: shown.whole_letter}
    yield deciding("/v1/jobs/{job_id}/bury", "Jobs.bury", bury, letter, place, REASON)
    yield from _dead_letters(schemas, shown)


def _dead_letters(schemas: Schemas, shown: _Shown) -> Iterator[Operation]:
    place, pages = numbered("dead_letter_id"), page(schemas, "DeadLetters", shown.letter)
    filters = [text("kind"), text("loan_id"), *PAGING]
    summary = "Dead letters nobody replayed yet, newest first."
    yield reading("/v1/dead-letters", "DeadLetters.list", summary, pages, filters, 400)
    path = "/v1/dead-letters/{dead_letter_id}"
    yield reading(path, "DeadLetters.retrieve", "A dead letter.", shown.whole_letter, [place], 404)
    summary = "Queue the job of a dead letter once more."
    yield deciding(f"{path}/replay", "DeadLetters.replay", summary, {202: shown.whole_letter}, place)
